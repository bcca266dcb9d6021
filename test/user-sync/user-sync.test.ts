import test from 'ava';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import {
  confirmedSignal,
  confirmedUpdate,
  failedSignal,
  forceResyncUpdate,
  reconcileUpdate,
  userChangedSignal,
  userDeletedSyncSignal,
  userSyncStateQuery,
  userSyncWorkflowId,
} from '../../src/workflows/user-sync/user-sync.messages.ts';
import { anonymiseUser, type UserRow } from '../../src/db/users/users.ts';
import { fileScope } from '../support/file-scope.ts';
import { startTimeSkippingTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { createUserWorld, refusalOf, TENANT, type UserWorld } from '../support/user-world.ts';

type Context = { env: TestWorkflowEnvironment; world: UserWorld };
let context: Context;

const scope = fileScope();
test.before(async () => {
  const temporal = await startTimeSkippingTemporal(scope);
  context = { env: temporal.env, world: await createUserWorld(scope, { temporal }) };
});

async function started({ env, world }: Context, services?: readonly string[]) {
  const userId = await world.insertUser({
    now: await env.currentTimeMs(),
    ...(services === undefined ? {} : { services }),
  });
  await world.startUserSync(userId);
  await until(async () => (await world.row(userId)).syncStatus !== 'pending', { what: 'the first emission' });
  return { userId, handle: world.client.workflow.getHandle(userSyncWorkflowId(userId)) };
}

const emission = z.object({ data: z.object({ version: z.number(), services: z.array(z.string()) }) });

/** What was published of a user, oldest first. */
async function published({ db }: UserWorld, userId: string) {
  const messages = await db.inTenant(TENANT, (tx) =>
    tx.outgoingMessage.findMany({ where: { key: userId }, orderBy: { position: 'asc' } }),
  );
  return messages.map(({ topic, payload }) => {
    const {
      data: { version, services },
    } = emission.parse(payload);
    return { topic, version, services };
  });
}

test.serial('userSync publishes user.created and is synced when every service confirmed', async (t) => {
  const { world } = context;
  const { userId, handle } = await started(context);
  t.deepEqual(await published(world, userId), [
    { topic: 'user.created', version: 1, services: ['accounting', 'portfolio'] },
  ]);
  t.like(await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 1 }] }), {
    syncStatus: 'in_progress',
    syncedServices: ['accounting'],
  });
  t.like(await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'portfolio' }] }), {
    syncStatus: 'synced',
    nextDueAt: null,
  });
  t.like(await world.row(userId), { syncStatus: 'synced', syncRetryCount: 0, lastSyncError: null });
  t.is((await published(world, userId)).length, 1);
});

test.serial(
  'userSync climbs the ladder for the services still missing, fails, and starts again 24 h after the last attempt',
  async (t) => {
    const { env, world } = context;
    const { userId, handle } = await started(context);
    await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
    await env.sleep('20 minutes'); // six attempts of 30 s and the ladder of 6 min 21 s
    t.like(await world.row(userId), {
      syncStatus: 'failed',
      syncRetryCount: 5,
      lastSyncError: 'portfolio: no answer in time',
    });
    const emissions = await published(world, userId);
    t.is(emissions.length, 6);
    t.true(
      emissions.slice(1).every(({ topic, services }) => topic === 'user.created' && services.join() === 'portfolio'),
    );
    const { lastSyncAttempt } = await world.row(userId);
    await env.sleep('24 hours');
    const row = await world.row(userId);
    t.true(
      row.lastSyncAttempt!.getTime() >= lastSyncAttempt!.getTime() + 86_400_000,
      'the counter restarted by itself',
    );
  },
);

test.serial(
  'userSync retries at once after every service answered, keeps the reason, and ends with a late confirmation',
  async (t) => {
    const { world } = context;
    const { userId, handle } = await started(context);
    await handle.signal(failedSignal, { service: 'portfolio', userVersion: 1, error: 'disk full' });
    t.like(await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] }), {
      syncStatus: 'retry',
      lastSyncError: 'portfolio: disk full',
    });
    await handle.signal(confirmedSignal, { service: 'portfolio', userVersion: 1 });
    await until(async () => (await world.row(userId)).syncStatus === 'synced', { what: 'the late confirmation' });
    t.pass();
  },
);

test.serial(
  'userSync publishes user.updated for a new version, for which older confirmations do not count',
  async (t) => {
    const { world } = context;
    const { userId, handle } = await started(context, ['accounting']);
    await world.db.inTenant(TENANT, (tx) =>
      tx.user.update({ where: { tenantId_id: { tenantId: TENANT, id: userId } }, data: { version: 2 } }),
    );
    await handle.signal(userChangedSignal, { version: 2 });
    await handle.signal(confirmedSignal, { service: 'accounting', userVersion: 1 });
    await until(async () => (await published(world, userId)).length === 2, { what: 'the second emission' });
    t.deepEqual((await published(world, userId))[1], { topic: 'user.updated', version: 2, services: ['accounting'] });
    t.is((await handle.query(userSyncStateQuery))?.syncStatus, 'in_progress');
    t.like(await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 2 }] }), {
      syncStatus: 'synced',
      version: 2,
    });
  },
);

test.serial('userSync reconciles: it says what is wrong and what was sent again', async (t) => {
  const { userId, handle } = await started(context);
  await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
  await handle.signal(failedSignal, { service: 'portfolio', error: 'disk full' });
  t.deepEqual(await handle.executeUpdate(reconcileUpdate, { args: [{}] }), {
    userId,
    consistent: false,
    version: 1,
    missing: [],
    stale: [],
    failed: ['portfolio'],
    republished: ['portfolio'],
  });
  await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'portfolio' }] });
  t.like(await handle.executeUpdate(reconcileUpdate, { args: [{}] }), { consistent: true, republished: [] });
  t.like(await handle.executeUpdate(reconcileUpdate, { args: [{ service: 'portfolio' }] }), {
    consistent: false,
    missing: ['portfolio'],
    republished: ['portfolio'],
  });
});

test.serial('userSync sends to all again when forced, and refuses what it does not know', async (t) => {
  const { world } = context;
  const { userId, handle } = await started(context);
  t.like(await handle.executeUpdate(forceResyncUpdate), { syncStatus: 'in_progress', syncRetryCount: 0 });
  t.is((await published(world, userId)).length, 2);
  t.is(
    await refusalOf(t, handle.executeUpdate(confirmedUpdate, { args: [{ service: 'unknown' }] })),
    'unknown_service',
  );
  t.is(
    await refusalOf(t, handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 9 }] })),
    'unknown_version',
  );
  await handle.signal('confirmed', 'nonsense');
  t.is((await handle.query(userSyncStateQuery))?.refused.at(-1)?.code, 'invalid_payload');
});

test.serial('userSync ends at once when it is told no more than that its user is deleted', async (t) => {
  const { handle } = await started(context);
  await handle.signal(userDeletedSyncSignal);
  await t.notThrowsAsync(handle.result());
});

/** Deletes a user as the API does, but for the message and the signal, which the caller brings. */
async function deleted({ env, world }: Context, userId: string): Promise<UserRow> {
  const now = new Date(await env.currentTimeMs());
  const row = await world.db.inTenant(TENANT, (tx) =>
    anonymiseUser(tx, { tenantId: TENANT, userId }, { now, subjectHash: () => userId }),
  );
  if (row === undefined) throw new Error('there is no such user');
  return row;
}

test.serial(
  'a deletion is asked for along the ladder, of those alone who have not confirmed, and then ends',
  async (t) => {
    const { env, world } = context;
    const { userId, handle } = await started(context);
    const { version, deletedAt } = await deleted(context, userId);
    t.is(version, 2);
    await handle.signal(userDeletedSyncSignal, { version, publishedAt: deletedAt!.toISOString() });
    await handle.signal(confirmedSignal, { service: 'accounting', userVersion: 2 });
    await env.sleep('20 minutes');
    t.like(await world.row(userId), { syncStatus: 'failed', syncRetryCount: 5, syncEndedAt: null });
    const [, ...emissions] = await published(world, userId);
    t.deepEqual(
      emissions,
      Array.from({ length: 5 }, () => ({ topic: 'user.deleted', version: 2, services: ['portfolio'] })),
    );
    t.like(await handle.executeUpdate(forceResyncUpdate), { syncStatus: 'in_progress', version: 2 });
    for (const service of ['accounting', 'portfolio'])
      await handle.signal(confirmedSignal, { service, userVersion: 2 });
    await t.notThrowsAsync(handle.result());
    const row = await world.row(userId);
    t.is(row.syncStatus, 'synced');
    t.true(row.syncEndedAt instanceof Date);
  },
);

test.serial('a deletion that the workflow was not told of is found in the row and published', async (t) => {
  const { world } = context;
  const { userId, handle } = await started(context, ['accounting']);
  await deleted(context, userId);
  await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 1 }] });
  await until(async () => (await published(world, userId)).at(-1)?.topic === 'user.deleted', { what: 'the deletion' });
  await handle.signal(confirmedSignal, { service: 'accounting', userVersion: 2 });
  await t.notThrowsAsync(handle.result());
});

test.serial('a version that no row can hold is dropped and told, and the copies go on', async (t) => {
  const { world } = context;
  for (const version of [2_147_483_647, 2_147_483_646, 1_500_000_000]) {
    const { userId, handle } = await started(context, ['accounting']);
    await handle.signal(userChangedSignal, { version });
    await until(async () => (await handle.query(userSyncStateQuery))?.refused.at(-1)?.code === 'not_saved', {
      what: 'the refusal',
    });
    t.like(await handle.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting', userVersion: 1 }] }), {
      syncStatus: 'synced',
      version: 1,
    });
    t.is((await world.row(userId)).version, 1);
    const key = `step_not_saved:${userSyncWorkflowId(userId)}`;
    t.is(await world.db.inTenant(TENANT, (tx) => tx.alert.count({ where: { openKey: key } })), 1);
  }
});

test.serial('an empty list of services is refused', async (t) => {
  const { handle } = await started(context, ['accounting']);
  await handle.signal(userChangedSignal, { version: 1, services: [] });
  const view = await handle.query(userSyncStateQuery);
  t.is(view?.refused.at(-1)?.code, 'invalid_payload');
  t.deepEqual(view?.servicesToSync, ['accounting']);
});
