import { defineSearchAttributeKey } from '@temporalio/common';
import {
  continueAsNew,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { LoadedProfile, NotificationActivities, ProfileActivities } from './profile.activities.ts';
import {
  DELIVERY_HEARTBEAT_TIMEOUT_MS,
  DELIVERY_RETRY,
  DELIVERY_START_TO_CLOSE_MS,
} from '../../domain/notifications/delivery-policy.ts';
import { parseComplete, parseReactivate } from '../../domain/profile/commands.ts';
import {
  decideProfile,
  evolveProfile,
  nextDueAt,
  type Profile,
  type ProfileCommand,
  type ProfileEvent,
  type ProfileSettings,
} from '../../domain/profile/profile.ts';
import { statusesOf } from '../../domain/profile/statuses.ts';
import type { Parsed, Refusal } from '../../domain/shared/decision.ts';
import { isoTime, isoTimeOrNull } from '../../domain/shared/time.ts';
import { CommandQueue, type Outcome } from '../runtime/command-queue.ts';
import {
  asEntity,
  handleUpdate,
  isEntityCommand,
  refuseAll,
  runEntity,
  type Entity,
  type EntityCommand,
} from '../runtime/entity-loop.ts';
import { DATABASE_WRITE } from '../runtime/activity-options.ts';
import * as messages from './profile.messages.ts';

type Inbox = CommandQueue<ProfileCommand | EntityCommand, Outcome<Profile, ProfileEvent>>;

const rows = proxyLocalActivities<ProfileActivities>(DATABASE_WRITE);
const { deliverNotifications } = proxyActivities<NotificationActivities>({
  startToCloseTimeout: DELIVERY_START_TO_CLOSE_MS,
  heartbeatTimeout: DELIVERY_HEARTBEAT_TIMEOUT_MS,
  retry: DELIVERY_RETRY,
  summary: 'Hand notifications over to the mail server',
});

const userStatus = defineSearchAttributeKey('UserStatus', 'KEYWORD');
const profileStatus = defineSearchAttributeKey('ProfileStatus', 'KEYWORD');
const profileDeadline = defineSearchAttributeKey('ProfileDeadline', 'DATETIME');

/**
 * The life of a user's profile: due at its deadline, reminded before it, expired after it, reactivated by an
 * administrator.
 */
export async function profile({ tenantId, userId, carried }: messages.ProfileInput): Promise<void> {
  const queue: Inbox = new CommandQueue(carried?.refused);
  let life: ProfileLife | undefined;
  handleMessages(queue, () => life);

  await asEntity(queue, async () => {
    const loaded: LoadedProfile | null =
      carried === undefined
        ? await rows.loadProfile({ tenantId, userId })
        : { ...carried, settings: await rows.loadProfileSettings(), notificationIds: [] };
    if (loaded === null) return refuseAll(queue);
    const mine: ProfileLife = {
      settings: loaded.settings,
      state: loaded.profile,
      revision: loaded.revision,
      deliveries: 0,
    };
    life = mine;
    deliver(mine, { tenantId, ...loaded });

    await runEntity<Profile, ProfileCommand, ProfileEvent>(mine, {
      queue,
      decide: (state, command, now) => decideProfile(state, command, { now, settings: mine.settings }),
      evolve: evolveProfile,
      nextDueAt: (state) => nextDueAt(state, mine.settings),
      isOneShot: ({ type }) => type === 'reactivate' || type === 'unsuspend',
      timerSummary: (state) =>
        state.kind === 'pending' && nextDueAt(state, mine.settings) !== state.deadline
          ? 'Next reminder'
          : 'Deadline of the profile',
      save: async ({ state, revision, events }) => {
        const saved = await rows.saveProfile({ tenantId, userId, profile: state, revision, events });
        mine.settings = saved.settings;
        deliver(mine, { tenantId, ...saved });
        return saved;
      },
      load: async () => {
        const row = await rows.loadProfile({ tenantId, userId });
        if (row === null) return null;
        mine.settings = row.settings;
        deliver(mine, { tenantId, ...row });
        return { state: row.profile, revision: row.revision };
      },
      show: () => show(mine),
      isQuiet: () => mine.deliveries === 0,
      continueAsNew: ({ state, revision }) =>
        continueAsNew<typeof profile>({
          tenantId,
          userId,
          carried: { profile: state, revision, refused: queue.refused },
        }),
    });
  });
}

/** What is there once the row is loaded. */
interface ProfileLife extends Entity<Profile> {
  settings: ProfileSettings;
  /** The search attributes as set last, so that they are set when they change only. */
  shown?: string;
  /** Hand-overs that run in the background, so that a mail server's trouble delays no deadline. */
  deliveries: number;
}

function handleMessages(queue: Inbox, current: () => ProfileLife | undefined): void {
  const view = (): messages.ProfileView | null => viewOf(current(), queue);
  const prevalidate = (command: ProfileCommand | EntityCommand): Refusal | null => {
    const life = current();
    if (life === undefined || !queue.isEmpty || isEntityCommand(command)) return null;
    const decision = decideProfile(life.state, command, { now: Date.now(), settings: life.settings });
    return decision.accepted ? null : decision.refusal;
  };
  for (const [name, parse] of [
    ['markInProgress', always({ type: 'markInProgress' })],
    ['complete', parseComplete],
    ['reactivate', parseReactivate],
    ['suspend', always({ type: 'suspend' })],
    ['unsuspend', always({ type: 'unsuspend' })],
  ] as const) {
    setHandler(messages[`${name}Signal`], (payload?: unknown) => queue.signal(name, parse(payload)));
    handleUpdate({ queue, definition: messages[`${name}Update`], parse, prevalidate, view });
  }
  setHandler(messages.refreshSignal, () => queue.signal('refresh', { ok: true, value: { type: 'refresh' } }));
  setHandler(messages.userDeletedSignal, () =>
    queue.signal('userDeleted', { ok: true, value: { type: 'deleteUser' } }),
  );
  setHandler(messages.profileStateQuery, view);
}

function always(command: ProfileCommand): () => Parsed<ProfileCommand> {
  return () => ({ ok: true, value: command });
}

function deliver(
  life: ProfileLife,
  { tenantId, notificationIds }: { tenantId: string; notificationIds: readonly string[] },
): void {
  if (notificationIds.length === 0) return;
  life.deliveries += 1;
  deliverNotifications({ tenantId, notificationIds })
    .catch((error: unknown) => log.error('notifications were not handed over; the next audit tries again', { error }))
    .finally(() => {
      life.deliveries -= 1;
    });
}

function viewOf(life: ProfileLife | undefined, queue: Inbox): messages.ProfileView | null {
  if (life === undefined) return null;
  const { state, settings, revision } = life;
  const { reminders, deadline } = lastOpen(state);
  const dueAt = nextDueAt(state, settings);
  return {
    ...statusesOf(state),
    profileCompletionDeadline: deadline,
    profileCompletionReminders: reminders,
    nextDueAt: isoTimeOrNull(dueAt),
    revision,
    refused: queue.refused,
  };
}

function show(life: ProfileLife): void {
  const { state, settings } = life;
  const { status, profileCompletionStatus } = statusesOf(state);
  const { reminders, deadline } = lastOpen(state);
  const dueAt = nextDueAt(state, settings);
  const shown = JSON.stringify([status, profileCompletionStatus, deadline]);
  if (life.shown !== shown) {
    upsertSearchAttributes([
      { key: userStatus, value: status },
      { key: profileStatus, value: profileCompletionStatus },
      { key: profileDeadline, value: deadline === null ? null : new Date(deadline) },
    ]);
    life.shown = shown;
  }
  setCurrentDetails(
    [
      `**${status}** / ${profileCompletionStatus}`,
      `Deadline: ${deadline ?? 'none'}`,
      `Reminders sent: ${reminders}`,
      `Next: ${dueAt === null ? 'waits for a command' : isoTime(dueAt)}`,
    ].join('  \n'),
  );
}

function lastOpen(state: Profile): { reminders: number; deadline: string | null } {
  const open = state.kind === 'suspended' ? state.former : state;
  return { reminders: open.reminders, deadline: open.kind === 'pending' ? isoTime(open.deadline) : null };
}
