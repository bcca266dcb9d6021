import { defineSearchAttributeKey } from '@temporalio/common';
import {
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { UserSyncActivities } from './user-sync.activities.ts';
import type { Parsed, Refusal } from '../../domain/shared/decision.ts';
import { isoTime, isoTimeOrNull } from '../../domain/shared/time.ts';
import { parseConfirmed, parseFailed, parseReconcile, parseUserChanged } from '../../domain/user-sync/commands.ts';
import { reportSync, syncStatusOf } from '../../domain/user-sync/statuses.ts';
import {
  decideUserSync,
  evolveUserSync,
  missingServices,
  nextSyncDueAt,
  type UserSync,
  type UserSyncCommand,
  type UserSyncEvent,
  type UserSyncSettings,
} from '../../domain/user-sync/user-sync.ts';
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
import * as messages from './user-sync.messages.ts';

type Inbox = CommandQueue<UserSyncCommand | EntityCommand, Outcome<UserSync, UserSyncEvent>>;

const rows = proxyLocalActivities<UserSyncActivities>(DATABASE_WRITE);
const syncStatus = defineSearchAttributeKey('SyncStatus', 'KEYWORD');

/** The life of a user's copies in the other services: published, confirmed, retried along the ladder, reconciled. */
export async function userSync({ tenantId, userId, carried }: messages.UserSyncInput): Promise<void> {
  const queue: Inbox = new CommandQueue(carried?.refused);
  let life: UserSyncLife | undefined;
  handleMessages(queue, userId, () => life);

  await asEntity(queue, async () => {
    const loaded =
      carried === undefined
        ? await rows.loadUserSync({ tenantId, userId })
        : { ...carried, settings: await rows.loadUserSyncSettings() };
    if (loaded === null) return refuseAll(queue);
    const mine: UserSyncLife = { settings: loaded.settings, state: loaded.sync, revision: loaded.revision };
    life = mine;

    await runEntity<UserSync, UserSyncCommand, UserSyncEvent>(mine, {
      queue,
      decide: (state, command, now) => decideUserSync(state, command, { now, settings: mine.settings }),
      evolve: evolveUserSync,
      nextDueAt: nextSyncDueAt,
      isOneShot: () => false,
      timerSummary: ({ phase }) => TIMER_SUMMARIES[phase.kind],
      save: async ({ before, state, revision, events }) => {
        const publishTo = events.findLast((event) => event.type === 'Emitted')?.targets ?? [];
        const saved = await rows.saveUserSync({
          tenantId,
          userId,
          sync: state,
          revision,
          publishTo,
          isFirst: before.lastAttemptAt === null,
        });
        // The row has moved on since: what was published is newer than what this workflow has heard of.
        if (saved.version > state.version)
          queue.signal('userChanged', { ok: true, value: { type: 'changeUser', version: saved.version } });
        mine.settings = saved.settings;
        return saved;
      },
      load: async () => {
        const row = await rows.loadUserSync({ tenantId, userId });
        if (row === null) return null;
        mine.settings = row.settings;
        return { state: row.sync, revision: row.revision };
      },
      show: () => show(mine),
      isQuiet: () => true,
      continueAsNew: ({ state, revision }) =>
        continueAsNew<typeof userSync>({
          tenantId,
          userId,
          carried: { sync: state, revision, refused: queue.refused },
        }),
    });
  });
}

/** What is there once the rows are loaded. */
interface UserSyncLife extends Entity<UserSync> {
  settings: UserSyncSettings;
  /** The search attribute as set last, so that it is set when it changes only. */
  shown?: string;
}

const TIMER_SUMMARIES: Readonly<Record<UserSync['phase']['kind'], string>> = {
  unsent: 'Publish the user',
  awaiting: 'Time for the services to confirm',
  backoff: 'Delay before the next retry',
  exhausted: 'Restart of the retry counter',
  synced: 'Nothing is due',
};

function handleMessages(queue: Inbox, userId: string, current: () => UserSyncLife | undefined): void {
  const view = (): messages.UserSyncView | null => viewOf(current(), queue);
  const prevalidate = (command: UserSyncCommand | EntityCommand): Refusal | null => {
    const life = current();
    if (life === undefined || !queue.isEmpty || isEntityCommand(command)) return null;
    const decision = decideUserSync(life.state, command, { now: Date.now(), settings: life.settings });
    return decision.accepted ? null : decision.refusal;
  };
  const force = (): Parsed<UserSyncCommand> => ({ ok: true, value: { type: 'forceResync' } });

  setHandler(messages.confirmedSignal, (payload) => queue.signal('confirmed', parseConfirmed(payload)));
  setHandler(messages.failedSignal, (payload) => queue.signal('failed', parseFailed(payload)));
  setHandler(messages.forceResyncSignal, () => queue.signal('forceResync', force()));
  setHandler(messages.reconcileSignal, (payload) => queue.signal('reconcile', parseReconcile(payload)));
  setHandler(messages.userChangedSignal, (payload) => {
    const parsed = parseUserChanged(payload);
    if (!parsed.ok) return queue.signal('userChanged', parsed);
    for (const value of parsed.value) queue.signal('userChanged', { ok: true, value });
  });
  setHandler(messages.refreshSyncSignal, () => queue.signal('refresh', { ok: true, value: { type: 'refresh' } }));
  setHandler(messages.userDeletedSyncSignal, () =>
    queue.signal('userDeleted', { ok: true, value: { type: 'deleteUser' } }),
  );

  handleUpdate({ queue, definition: messages.confirmedUpdate, parse: parseConfirmed, prevalidate, view });
  handleUpdate({ queue, definition: messages.failedUpdate, parse: parseFailed, prevalidate, view });
  handleUpdate({ queue, definition: messages.forceResyncUpdate, parse: force, prevalidate, view });
  handleUpdate({
    queue,
    definition: messages.reconcileUpdate,
    parse: parseReconcile,
    prevalidate,
    view: (outcome) => ({ userId, ...reconciliationOf(outcome) }),
  });
  setHandler(messages.userSyncStateQuery, view);
}

/** The report is of the state as it was found, with the doubt that was just raised; then what was done about it. */
function reconciliationOf({
  before,
  events,
}: Outcome<UserSync, UserSyncEvent>): Omit<messages.ReconciliationResult, 'userId'> {
  const found = events.filter((event) => event.type === 'CopyDoubted').reduce(evolveUserSync, before);
  const republished = events.findLast((event) => event.type === 'Emitted')?.targets ?? [];
  return { ...reportSync(found), republished };
}

function viewOf(life: UserSyncLife | undefined, queue: Inbox): messages.UserSyncView | null {
  if (life === undefined) return null;
  const { state, revision } = life;
  const missing = missingServices(state);
  const servicesToSync = Object.keys(state.services);
  const dueAt = nextSyncDueAt(state, Date.now());
  return {
    syncStatus: syncStatusOf(state),
    version: state.version,
    syncRetryCount: state.retryCount,
    lastSyncAttempt: isoTimeOrNull(state.lastAttemptAt),
    lastSyncError: state.lastError,
    servicesToSync,
    syncedServices: servicesToSync.filter((service) => !missing.includes(service)),
    failedServices: reportSync(state).failed,
    nextDueAt: isoTimeOrNull(dueAt),
    revision,
    refused: queue.refused,
  };
}

function show(life: UserSyncLife): void {
  const { state } = life;
  const status = syncStatusOf(state);
  const missing = missingServices(state);
  const dueAt = nextSyncDueAt(state, Date.now());
  if (life.shown !== status) upsertSearchAttributes([{ key: syncStatus, value: status }]);
  life.shown = status;
  setCurrentDetails(
    [
      `**${status}** at version ${state.version}`,
      `Not confirmed by: ${missing.length === 0 ? 'none' : missing.join(', ')}`,
      `Retries: ${state.retryCount}`,
      `Next: ${dueAt === null ? 'waits for a change' : `${TIMER_SUMMARIES[state.phase.kind]}, ${isoTime(dueAt)}`}`,
    ].join('  \n'),
  );
}
