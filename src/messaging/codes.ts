import { final, missing, conflict, passing, type CodeEntry, type RefusalEntry } from '../domain/shared/codes.ts';

/** Why something that the bus or the outboxes carry is among the dead letters, whatever it is about. */
export const MESSAGING_CAUSES = {
  handler_failed: passing(
    'Handler failed',
    "Taking the message's effect failed at every attempt.",
    'Mend what `detail` names, then replay it.',
  ),
  publish_failed: final(
    'Publish failed',
    'The bus refused the message at every attempt.',
    'Mend what `detail` names, such as the size that the broker allows, then replay it.',
  ),
  call_refused: final(
    'Call refused',
    'Temporal refuses the call on a workflow for good.',
    'Mend what `detail` names, then replay it: the call is put back into the outbox.',
  ),
} satisfies Record<string, CodeEntry>;
export type MessagingCause = keyof typeof MESSAGING_CAUSES;

/** Refusals of operators' requests about dead letters. */
export const DEAD_LETTER_PROBLEMS = {
  dead_letter_not_found: missing(
    'Dead letter not found',
    'There is no such dead letter.',
    'Check the id and the tenant; those that were settled go after their retention.',
  ),
  dead_letter_not_parked: conflict(
    'Dead letter not parked',
    'The dead letter was replayed or discarded already.',
    'Nothing: `resolvedBy` says who did it.',
  ),
  dead_letter_busy: {
    ...conflict(
      'Dead letter busy',
      'Somebody else is replaying it at this moment.',
      'Read it again in a minute; replay it should it still be parked.',
    ),
    retryable: true,
  },
  dead_letter_not_replayable: conflict(
    'Dead letter not replayable',
    'There is no way to replay what this source parked; discard it.',
    'Discard it with a reason, once what it is about is settled otherwise.',
  ),
} satisfies Record<string, RefusalEntry>;
