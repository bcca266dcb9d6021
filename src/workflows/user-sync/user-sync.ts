import { continueAsNew, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { UserSyncActivities } from './user-sync.activities.ts';
import type { Parsed } from '../../domain/shared/decision.ts';
import {
  parseConfirmed,
  parseFailed,
  parseReconcile,
  parseUserChanged,
  parseUserDeleted,
} from '../../domain/user-sync/commands.ts';
import {
  decideUserSync,
  evolveUserSync,
  isOver,
  nextSyncDueAt,
  type UserSyncCommand,
} from '../../domain/user-sync/user-sync.ts';
import { DATABASE_WRITE } from '../runtime/activity-options.ts';
import { runDecider } from '../runtime/decider-loop.ts';
import { openRun, type Decider, type DeciderRun, type Entity } from '../runtime/decider.ts';
import { answerOf } from '../users/save-answer.ts';
import { handleSignal, handleUpdate } from '../runtime/message-handlers.ts';
import { endsWithUser } from '../users/ends-with-user.ts';
import * as messages from './user-sync.messages.ts';
import { reconciliationOf, userSyncShowing, viewOf, type UserSyncKind } from './user-sync.view.ts';

const rows = proxyLocalActivities<UserSyncActivities>(DATABASE_WRITE);

const decider: Decider<UserSyncKind> = { decide: decideUserSync, evolve: evolveUserSync };

/**
 * A user's copies in the other services: published, confirmed, retried along the ladder, reconciled; open until every
 * service has confirmed the user's deletion.
 */
export async function userSync({ tenantId, userId, carried }: messages.UserSyncInput): Promise<void> {
  const user = { tenantId, userId };
  const run = openRun(decider, carried?.refused);
  handleMessages(run, userId);

  const load = async (): Promise<Entity<UserSyncKind> | null> => {
    const loaded = await rows.loadUserSync(user);
    return loaded && { state: loaded.sync, revision: loaded.revision, settings: loaded.settings };
  };
  await runDecider(run, {
    rows: {
      load,
      save: async ({ before, state, revision, events }) => {
        const publishTo = events.findLast((event) => event.type === 'Emitted')?.targets ?? [];
        const isFirst = before.lastAttemptAt === null;
        const saved = await rows.saveUserSync({ ...user, sync: state, revision, publishTo, isFirst });
        // The row has moved on since: what was published is newer than what this workflow has heard of.
        if (saved.version > state.version) run.queue.signal('userChanged', { ok: true, value: versionOf(saved) });
        return { answer: answerOf(saved), settings: saved.settings };
      },
    },
    lifecycle: {
      ...endsWithUser(run),
      begin: async () =>
        carried === undefined
          ? load()
          : { state: carried.sync, revision: carried.revision, settings: await rows.loadUserSyncSettings(user) },
      next: ({ state }) =>
        isOver(state) ? { type: 'end' } : { type: 'rest', until: nextSyncDueAt(state, Date.now()) },
      continueAsNew: ({ state, revision }) =>
        continueAsNew<typeof userSync>({ ...user, carried: { sync: state, revision, refused: run.queue.refused } }),
    },
    showing: userSyncShowing,
  });
}

/** The row's version, which this workflow has not heard of. */
function versionOf({ version, isDeleted = false }: { version: number; isDeleted?: boolean }): UserSyncCommand {
  return { type: isDeleted ? 'deleteUser' : 'changeUser', version };
}

function handleMessages(run: DeciderRun<UserSyncKind>, userId: string): void {
  const force = (): Parsed<UserSyncCommand> => ({ ok: true, value: { type: 'forceResync' } });
  const view = (): messages.UserSyncView | null => viewOf(run);

  handleSignal(run, messages.confirmedSignal, parseConfirmed);
  handleSignal(run, messages.failedSignal, parseFailed);
  handleSignal(run, messages.forceResyncSignal, force);
  handleSignal(run, messages.reconcileSignal, parseReconcile);
  setHandler(messages.userChangedSignal, (payload) => {
    const parsed = parseUserChanged(payload);
    if (!parsed.ok) return run.queue.signal('userChanged', parsed);
    for (const value of parsed.value) run.queue.signal('userChanged', { ok: true, value });
  });
  setHandler(messages.userDeletedSyncSignal, (payload) =>
    payload === undefined ? run.queue.requestEnd() : run.queue.signal('userDeleted', parseUserDeleted(payload)),
  );
  setHandler(messages.refreshSyncSignal, () => run.queue.requestSave());

  handleUpdate(run, messages.confirmedUpdate, parseConfirmed, view);
  handleUpdate(run, messages.failedUpdate, parseFailed, view);
  handleUpdate(run, messages.forceResyncUpdate, force, view);
  handleUpdate(run, messages.reconcileUpdate, parseReconcile, (outcome) => ({ userId, ...reconciliationOf(outcome) }));
  setHandler(messages.userSyncStateQuery, view);
}
