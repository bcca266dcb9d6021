import pg from 'pg';
import type { WorkflowHandle } from '@temporalio/client';
import {
  completeUpdate,
  markInProgressUpdate,
  PROFILE_WORKFLOW,
  profileStateQuery,
  profileWorkflowId,
  reactivateSignal,
  reactivateUpdate,
  refreshSignal,
  suspendUpdate,
  unsuspendUpdate,
  userDeletedSignal,
} from '../../src/workflows/profile/profile.messages.ts';
import {
  confirmedSignal,
  confirmedUpdate,
  failedSignal,
  forceResyncUpdate,
  reconcileUpdate,
  refreshSyncSignal,
  userChangedSignal,
  userDeletedSyncSignal,
  userSyncStateQuery,
  userSyncWorkflowId,
} from '../../src/workflows/user-sync/user-sync.messages.ts';
import { deleteUser } from '../../src/db/users/delete-user.ts';
import { until } from '../support/until.ts';
import { TENANT, type UserWorld } from '../support/user-world.ts';

/** Produces one control-flow shape and answers the runs whose histories show it. */
export type Scenario = (world: UserWorld) => Promise<readonly WorkflowHandle[]>;

const SECOND_DAYS = 1 / 86_400;
const UNKNOWN_USER = '00000000-0000-4000-8000-000000000000';

async function profileOf(world: UserWorld, deadlineDays = 7): Promise<{ userId: string; handle: WorkflowHandle }> {
  const userId = await world.insertUser({ now: Date.now(), deadlineDays });
  await world.startProfile(userId);
  const handle = world.client.workflow.getHandle(profileWorkflowId(userId));
  await until(async () => (await handle.query(profileStateQuery)) !== null, { what: 'the profile' });
  return { userId, handle };
}
async function syncOf(
  world: UserWorld,
  services: readonly string[] = ['accounting', 'portfolio'],
): Promise<{ userId: string; handle: WorkflowHandle }> {
  const userId = await world.insertUser({ now: Date.now(), services });
  await world.startUserSync(userId);
  await untilSync(world, userId, 'in_progress');
  return { userId, handle: world.client.workflow.getHandle(userSyncWorkflowId(userId)) };
}
const untilStatus = (world: UserWorld, userId: string, status: string): Promise<void> =>
  until(async () => (await world.row(userId)).status === status, { what: `status ${status}` });
const untilSync = (world: UserWorld, userId: string, status: string): Promise<void> =>
  until(async () => (await world.row(userId)).syncStatus === status, { what: `sync status ${status}` });
const customer = { customerId: 'c-1', customerKind: 'company' } as const;

/** Every control-flow shape of the entity workflows, by the name of its fixture. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'profile-waits-for-reminder': async (world) => [(await profileOf(world)).handle],

  'profile-reminds-expires-and-delivers': async (world) => {
    const { userId, handle } = await profileOf(world, 3 * SECOND_DAYS);
    await untilStatus(world, userId, 'inactive');
    return [handle];
  },

  'profile-completes-by-update': async (world) => {
    const { handle } = await profileOf(world);
    await handle.executeUpdate(markInProgressUpdate);
    await handle.executeUpdate(completeUpdate, { args: [customer] });
    return [handle];
  },

  'profile-refuses': async (world) => {
    const { handle } = await profileOf(world);
    await handle.executeUpdate(reactivateUpdate, { args: [{ extensionDays: 1 }] }).catch(() => {});
    await handle.signal(reactivateSignal, { extensionDays: 1 });
    await handle.signal('complete', { customerId: 7 });
    await handle.signal('makeCoffee');
    await handle.cancel();
    await handle.executeUpdate(markInProgressUpdate);
    return [handle];
  },

  'profile-reactivates-by-signal': async (world) => {
    const { userId, handle } = await profileOf(world, 0);
    await untilStatus(world, userId, 'inactive');
    await handle.signal(reactivateSignal, { extensionDays: 7 });
    await untilStatus(world, userId, 'pending_profile');
    return [handle];
  },

  'profile-begins-with-a-reactivation': async (world) => {
    const userId = await world.insertUser({ now: Date.now() - 2_000, deadlineDays: SECOND_DAYS });
    const handle = await world.client.workflow.signalWithStart(PROFILE_WORKFLOW, {
      workflowId: profileWorkflowId(userId),
      taskQueue: world.config.TASK_QUEUE,
      args: [{ tenantId: TENANT, userId }],
      signal: reactivateSignal,
      signalArgs: [{ extensionDays: 7 }],
    });
    await until(async () => (await world.row(userId)).profileCompletionDeadline!.getTime() > Date.now(), {
      what: 'the reactivation',
    });
    return [handle];
  },

  'profile-suspended-past-its-deadline': async (world) => {
    const { userId, handle } = await profileOf(world, 2 * SECOND_DAYS);
    await handle.executeUpdate(suspendUpdate);
    const { profileCompletionDeadline } = await world.row(userId);
    await until(() => Date.now() > profileCompletionDeadline!.getTime(), { what: 'the deadline' });
    await handle.executeUpdate(unsuspendUpdate);
    return [handle];
  },

  'profile-refreshes': async (world) => {
    const { userId, handle } = await profileOf(world);
    const { profileRevision } = await world.row(userId);
    await handle.signal(refreshSignal);
    await until(async () => (await world.row(userId)).profileRevision > profileRevision, {
      what: 'the row written again',
    });
    return [handle];
  },

  'profile-ends-with-its-user': async (world) => {
    const { handle } = await profileOf(world);
    await handle.signal(userDeletedSignal);
    await handle.result();
    return [handle];
  },

  'profile-without-user': async (world) => {
    await world.startProfile(UNKNOWN_USER);
    const handle = world.client.workflow.getHandle(profileWorkflowId(UNKNOWN_USER));
    await handle.result();
    return [handle];
  },

  'profile-continues-as-new': async (world) => {
    const { userId, handle } = await profileOf(world);
    const { runId } = await handle.describe();
    while ((await handle.describe()).runId === runId) {
      await handle.executeUpdate(suspendUpdate);
      await handle.executeUpdate(unsuspendUpdate);
    }
    await handle.executeUpdate(markInProgressUpdate);
    return [world.client.workflow.getHandle(profileWorkflowId(userId), runId), handle];
  },

  'profile-database-away': async (world) => {
    const { userId, handle } = await profileOf(world);
    await whileWritesFail(world, 'users', async () => {
      await handle.signal('markInProgress');
      const timers = async (): Promise<number> =>
        (await handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes).length ?? 0;
      const before = await timers();
      await until(async () => (await timers()) > before, { what: 'a retry by timer' });
    });
    await until(async () => (await world.row(userId)).profileCompletionStatus === 'in_progress', { what: 'the row' });
    return [handle];
  },

  'user-sync-confirmed': async (world) => {
    const { handle } = await syncOf(world);
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'portfolio', userVersion: 1 }] });
    return [handle];
  },

  'user-sync-silent-until-exhausted-and-restarted': async (world) => {
    const { userId, handle } = await syncOf(world);
    await untilSync(world, userId, 'failed');
    await untilSync(world, userId, 'in_progress');
    return [handle];
  },

  'user-sync-failed-then-confirmed-late': async (world) => {
    const { userId, handle } = await syncOf(world, ['accounting']);
    await handle.signal(failedSignal, { service: 'accounting', userVersion: 1, error: 'disk full' });
    await untilSync(world, userId, 'retry');
    await handle.signal(confirmedSignal, { service: 'accounting', userVersion: 1 });
    await untilSync(world, userId, 'synced');
    return [handle];
  },

  'user-sync-changed-under-way': async (world) => {
    const { userId, handle } = await syncOf(world, ['accounting']);
    await world.db.inTenant(TENANT, (tx) =>
      tx.user.update({ where: { tenantId_id: { tenantId: TENANT, id: userId } }, data: { version: 2 } }),
    );
    await handle.signal(userChangedSignal, { version: 2, services: ['accounting', 'portfolio'] });
    await handle.signal(confirmedSignal, { service: 'accounting', userVersion: 1 });
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 2 }] });
    return [handle];
  },

  'user-sync-row-ahead': async (world) => {
    const { userId, handle } = await syncOf(world, ['accounting']);
    await world.db.inTenant(TENANT, (tx) =>
      tx.user.update({ where: { tenantId_id: { tenantId: TENANT, id: userId } }, data: { version: 2 } }),
    );
    await handle.executeUpdate(forceResyncUpdate);
    await until(async () => (await handle.query(userSyncStateQuery))?.version === 2, {
      what: 'the version of the row',
    });
    return [handle];
  },

  'user-sync-forced-and-reconciled': async (world) => {
    const { handle } = await syncOf(world);
    await handle.executeUpdate(forceResyncUpdate);
    await handle.executeUpdate(reconcileUpdate, { args: [{}] });
    await handle.executeUpdate(reconcileUpdate, { args: [{ service: 'accounting' }] });
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'unknown' }] }).catch(() => {});
    return [handle];
  },

  'user-sync-refreshes': async (world) => {
    const { userId, handle } = await syncOf(world);
    const { syncRevision } = await world.row(userId);
    await handle.signal(refreshSyncSignal);
    await until(async () => (await world.row(userId)).syncRevision > syncRevision, { what: 'the rows written again' });
    return [handle];
  },

  'user-sync-ends-with-its-user': async (world) => {
    const { handle } = await syncOf(world);
    await handle.signal(userDeletedSyncSignal);
    await handle.result();
    return [handle];
  },

  'user-sync-confirms-a-deletion': async (world) => {
    const { userId, handle } = await syncOf(world);
    await deleteUser({ db: world.db, subjectHash: () => userId }, { tenantId: TENANT, userId }, new Date());
    await untilSync(world, userId, 'retry');
    for (const service of ['accounting', 'portfolio'])
      await handle.signal(confirmedSignal, { service, userVersion: 2 });
    await handle.result();
    return [handle];
  },

  'user-sync-continues-as-new': async (world) => {
    const { userId, handle } = await syncOf(world);
    const { runId } = await handle.describe();
    while ((await handle.describe()).runId === runId) await handle.executeUpdate(forceResyncUpdate);
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
    return [world.client.workflow.getHandle(userSyncWorkflowId(userId), runId), handle];
  },
};

/**
 * Takes the right to write users away until `work` is done, so that local activities fail and are tried again by
 * timers.
 */
export async function whileWritesFail(
  { databaseUrl }: Pick<UserWorld, 'databaseUrl'>,
  table: 'users' | 'process_states',
  work: () => Promise<void>,
): Promise<void> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    await owner.query(`REVOKE UPDATE ON ${table} FROM steadfast_tenant`);
    await work();
  } finally {
    await owner.query(`GRANT UPDATE ON ${table} TO steadfast_tenant`);
    await owner.end();
  }
}
