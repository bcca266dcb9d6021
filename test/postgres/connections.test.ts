import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { parkDeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { MESSAGE_RELAY } from '../../src/messaging/outbox/message-outbox.ts';
import { acquireLease, holdingLease } from '../../src/postgres/leases.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { runStatement } from '../../src/postgres/statement.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { runApi } from '../support/api.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { createWorld } from '../support/world.ts';

const TENANT = 'acme';

async function setUp(t: ExecutionContext, poolSize: number): Promise<{ db: Db; system: SystemDb }> {
  const database = await createDatabase();
  const [db, system] = [openTestDb(database.url, poolSize), openTestSystem(database.url, poolSize)];
  t.teardown(async () => {
    await Promise.all([db.close(), system.close()]);
    await database.drop();
  });
  return { db, system };
}

// This guards every test that uses PostgreSQL: whatever the size of its pool, the second connection is refused.
test('who holds a connection of a pool is refused a second one of it, and of no other', async (t) => {
  const { db } = await setUp(t, 5);
  const { db: other } = await setUp(t, 1);
  const asking: Readonly<Record<string, () => Promise<unknown>>> = {
    inTenant: () => db.inTenant(TENANT, (tx) => tx.user.count()),
    rawTransaction: () => rawTransaction(db.pool, TENANT, (client) => client.query('SELECT 1')),
    runStatement: () => runStatement(db.pool, TENANT, { text: 'SELECT 1', values: [] }),
    query: async () => db.pool.query('SELECT 1'),
  };
  for (const [name, ask] of Object.entries(asking)) {
    const message = /second connection of the pool/;
    await t.throwsAsync(
      db.inTenant(TENANT, () => ask()),
      { message },
      `${name} in inTenant`,
    );
    await t.throwsAsync(
      rawTransaction(db.pool, TENANT, () => ask()),
      { message },
      `${name} in rawTransaction`,
    );
    await t.notThrowsAsync(
      rawTransaction(other.pool, TENANT, () => ask()),
      `${name} beside another pool`,
    );
    await t.notThrowsAsync(ask(), `${name} afterwards`);
  }
});

test('work under a lease holds no connection, and nobody else does it meanwhile', async (t) => {
  const { db, system } = await setUp(t, 1);
  const inside = await holdingLease(system.pool, 'duty', async () => {
    t.is(await holdingLease(system.pool, 'duty', () => Promise.resolve('both')), undefined);
    return db.inTenant(TENANT, (tx) => tx.user.count());
  });
  t.is(inside, 0);
  await t.throwsAsync(
    holdingLease(system.pool, 'duty', () => Promise.reject(new Error('failed'))),
    { message: 'failed' },
  );
  t.is(await holdingLease(system.pool, 'duty', () => Promise.resolve('again')), 'again', 'also after a failure');
});

test('the lease of a process that died runs out', async (t) => {
  const { system } = await setUp(t, 1);
  t.true(await acquireLease(system.pool, { name: 'duty', owner: 'dead', ttlMs: 60_000 }));
  t.is(await holdingLease(system.pool, 'duty', () => Promise.resolve('early')), undefined);
  await system.pool.query(`UPDATE leases SET expires_at = now() WHERE name = 'duty'`);
  t.is(await holdingLease(system.pool, 'duty', () => Promise.resolve('taken over')), 'taken over');
});

test('forty replays at once on two connections succeed, and so do reads meanwhile', async (t) => {
  const world = await createWorld(t, { poolSize: 2, temporal: temporalAt(t, NO_TEMPORAL) });
  const { db } = world;
  const api = await runApi(world);
  const ids = Array.from({ length: 40 }, () => randomUUID());
  for (const messageId of ids)
    await db.inTenant('default', (tx) =>
      parkDeadLetter(tx, {
        tenantId: 'default',
        source: MESSAGE_RELAY,
        type: 'topic',
        cause: 'handler_failed',
        detail: 'not today',
        messageId,
        key: messageId,
        payload: '{}',
      }),
    );
  const letters = await db.inTenant('default', (tx) => tx.deadLetter.findMany({ select: { id: true } }));
  const answers = await Promise.all([
    ...letters.map(({ id }) => api.ask('POST', `/dead-letters/${id}/replay`, { role: 'admin' })),
    ...Array.from({ length: 10 }, () => api.ask('GET', '/users?limit=1', { role: 'admin' })),
  ]);
  t.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 200),
  );
  const replayed = await db.inTenant('default', (tx) => tx.deadLetter.count({ where: { status: 'replayed' } }));
  t.is(replayed, 40);
});
