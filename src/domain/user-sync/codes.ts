import { conflict, final, missing, passing, type CodeEntry, type RefusalEntry } from '../shared/codes.ts';

/** Refusals of commands on the copies of a user. */
export const USER_SYNC_REFUSALS = {
  unknown_service: missing(
    'Unknown service',
    'The user is not synchronised to this service.',
    "Check the service's name; if the user is to have a copy there, add the service to `services` of the user first.",
  ),
  unknown_version: conflict(
    'Unknown version',
    'This version of the user was never published.',
    "The service's copy is ahead of us: after a restore of our database force a resync, else mend the service.",
  ),
  user_not_deleted: conflict(
    'User not deleted',
    'The user was not deleted, so no deletion of it waits to be confirmed.',
    'Check the id; delete the user first if that is meant.',
  ),
} satisfies Record<string, RefusalEntry>;
export type UserSyncRefusal = keyof typeof USER_SYNC_REFUSALS;

/** Why what a service says about its copies is among the dead letters. */
export const CONFIRMATION_CAUSES = {
  malformed_event: final(
    'Malformed event',
    'The message is not the event that its topic promises.',
    'Have its sender mended by `asyncapi.json`; discard the message, or replay it if the schema was at fault.',
  ),
  unknown_user: passing(
    'Unknown user',
    'The message is about a user that does not exist here.',
    'Replay it once the user is there, as after a restore; otherwise mend the sender and discard it.',
  ),
  unknown_service: final(
    'Unknown service',
    'The message comes from a service that the user is not synchronised to.',
    'Add the service to the user and replay it, or have the service forget its copy and discard it.',
  ),
  service_mismatch: final(
    'Another service',
    'The message speaks for one service, and the log-in that published it is another.',
    'Find out who publishes by that log-in, and discard the message: a replay would let it count.',
  ),
  unknown_version: final(
    'Unknown version',
    'The message is about a version of the user that was never published.',
    'Force a resync of the user, then discard the message: the service confirms the version that it gets.',
  ),
} satisfies Record<string, CodeEntry>;
export type ConfirmationCause = keyof typeof CONFIRMATION_CAUSES;
