import { continueAsNew, log, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { NotificationActivities, ProfileActivities } from './profile.activities.ts';
import { DELIVERY_RETRY, DELIVERY_START_TO_CLOSE_MS } from '../../domain/notifications/delivery-policy.ts';
import { HEARTBEAT_TIMEOUT_MS } from '../../domain/shared/heartbeat.ts';
import { parseComplete, parseReactivate } from '../../domain/profile/commands.ts';
import { decideProfile, evolveProfile, nextDueAt, type ProfileCommand } from '../../domain/profile/profile.ts';
import type { Parsed } from '../../domain/shared/decision.ts';
import { DATABASE_WRITE } from '../runtime/activity-options.ts';
import { runDecider } from '../runtime/decider-loop.ts';
import { priorityOf } from '../runtime/priority.messages.ts';
import { openRun, type Decider, type DeciderRun, type Entity } from '../runtime/decider.ts';
import { answerOf } from '../users/save-answer.ts';
import { handleSignal, handleUpdate } from '../runtime/message-handlers.ts';
import { endsWithUser } from '../users/ends-with-user.ts';
import * as messages from './profile.messages.ts';
import { profileShowing, viewOf, type ProfileKind } from './profile.view.ts';

const rows = proxyLocalActivities<ProfileActivities>(DATABASE_WRITE);
const { deliverNotifications } = proxyActivities<NotificationActivities>({
  startToCloseTimeout: DELIVERY_START_TO_CLOSE_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: DELIVERY_RETRY,
  priority: priorityOf('background'),
  summary: 'Hand notifications over to the mail server',
});

const decider: Decider<ProfileKind> = {
  decide: decideProfile,
  evolve: evolveProfile,
  isOneShot: ({ type }) => type === 'reactivate' || type === 'unsuspend',
};

/**
 * A user's profile: due at its deadline, reminded before it, expired after it, reactivated by an administrator; open
 * until the user is deleted.
 */
export async function profile({ tenantId, userId, carried }: messages.ProfileInput): Promise<void> {
  const user = { tenantId, userId };
  const run = openRun(decider, carried?.refused);
  const deliveries = backgroundDeliveries(tenantId);
  handleMessages(run);

  const load = async (): Promise<Entity<ProfileKind> | null> => {
    const loaded = await rows.loadProfile(user);
    if (loaded === null) return null;
    deliveries.add(loaded.notificationIds);
    return { state: loaded.profile, revision: loaded.revision, settings: loaded.settings };
  };
  await runDecider(run, {
    rows: {
      load,
      save: async ({ state, revision, events }) => {
        const saved = await rows.saveProfile({ ...user, profile: state, revision, events });
        deliveries.add(saved.notificationIds);
        return { answer: answerOf(saved), settings: saved.settings };
      },
    },
    lifecycle: {
      ...endsWithUser(run),
      begin: async () =>
        carried === undefined
          ? load()
          : { state: carried.profile, revision: carried.revision, settings: await rows.loadProfileSettings(user) },
      next: ({ state, settings }) => ({ type: 'rest', until: nextDueAt(state, settings) }),
      isQuiet: deliveries.areDone,
      continueAsNew: ({ state, revision }) =>
        continueAsNew<typeof profile>({ ...user, carried: { profile: state, revision, refused: run.queue.refused } }),
    },
    showing: profileShowing,
  });
}

function handleMessages(run: DeciderRun<ProfileKind>): void {
  const view = (): messages.ProfileView | null => viewOf(run);
  for (const [name, parse] of [
    ['markInProgress', always({ type: 'markInProgress' })],
    ['complete', parseComplete],
    ['reactivate', parseReactivate],
    ['suspend', always({ type: 'suspend' })],
    ['unsuspend', always({ type: 'unsuspend' })],
  ] as const) {
    handleSignal(run, messages[`${name}Signal`], parse);
    handleUpdate(run, messages[`${name}Update`], parse, view);
  }
  setHandler(messages.refreshSignal, () => run.queue.requestSave());
  setHandler(messages.userDeletedSignal, () => run.queue.requestEnd());
  setHandler(messages.profileStateQuery, view);
}

function always(command: ProfileCommand): () => Parsed<ProfileCommand> {
  return () => ({ ok: true, value: command });
}

/** Hand-overs that run beside the loop, so that a mail server's trouble delays no deadline. */
function backgroundDeliveries(tenantId: string): {
  add: (notificationIds: readonly string[]) => void;
  areDone: () => boolean;
} {
  let running = 0;
  return {
    add: (notificationIds) => {
      if (notificationIds.length === 0) return;
      running += 1;
      deliverNotifications({ tenantId, notificationIds })
        .catch((error: unknown) =>
          log.error('notifications were not handed over; the next audit tries again', { error }),
        )
        .finally(() => {
          running -= 1;
        });
    },
    areDone: () => running === 0,
  };
}
