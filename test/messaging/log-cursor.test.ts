import { LOGS } from '../../src/db/logs.ts';
import { BUS_LOG } from '../../src/messaging/postgres/bus-log.ts';
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { enqueueMessages, MESSAGE_OUTBOX } from '../../src/messaging/outbox/message-outbox.ts';
import type { SystemDb, Tx } from '../../src/postgres/client.ts';
import { horizonLag, readerLagMs } from '../../src/messaging/log/log-lag.ts';
import { acquirePartitions, renewPartitions, saveCursors } from '../../src/messaging/log/log-leases.ts';
import { isRestoredElsewhere } from '../../src/messaging/log/cluster-identity.ts';
import { resetCursors } from '../../src/maintenance/retention/reset-cursors.ts';
import { lockStreams } from '../../src/messaging/log/lock-streams.ts';
import { readLog, usedPartitions, type LogRow } from '../../src/messaging/log/log.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';
import { openSystemDb } from '../../src/postgres/client.ts';

const PARTITIONS = [0, 1, 2, 3, 4, 5, 6, 7];
const START = { xid: '0', position: '0' };

interface Fixture {
  system: SystemDb;
  superuser: pg.Client;
  url: string;
}

async function setUp(t: ExecutionContext): Promise<Fixture> {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 10);
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  t.teardown(async () => {
    await superuser.end();
    await system.close();
    await database.drop();
  });
  return { system, superuser, url: database.url };
}

const append = (tx: Tx, messageId: string) =>
  enqueueMessages(tx, [{ tenantId: 'acme', messageId, topic: 'topic', key: 'key', payload: '{}' }]);

/** Everything that can be read, in order. */
function readAll(system: SystemDb): Promise<LogRow<'message_id'>[]> {
  return readLog(system.pool, {
    log: MESSAGE_OUTBOX,
    columns: ['message_id'],
    limit: 100,
    from: PARTITIONS.map((partition) => ({ partition, cursor: START })),
  });
}

async function readIds(system: SystemDb): Promise<string[]> {
  return (await readAll(system)).map(({ message_id }) => message_id);
}

/** A transaction that has appended `messageId` and stays open until `commit` or `rollback` is called. */
async function openWriter(
  system: SystemDb,
  messageId: string,
): Promise<{ commit: () => Promise<void>; rollback: () => Promise<void> }> {
  const wrote = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const done = system.acrossTenants(async (tx) => {
    await append(tx, messageId);
    wrote.resolve();
    await end.promise;
  });
  await Promise.race([wrote.promise, done]);
  return {
    commit: () => {
      end.resolve();
      return done;
    },
    rollback: () => {
      end.reject(new Error('rolled back'));
      return done.catch(() => {});
    },
  };
}

test('readLog does not skip a row that commits after a later one', async (t) => {
  const { system } = await setUp(t);
  const late = await openWriter(system, 'late');
  await system.acrossTenants((tx) => append(tx, 'early'));
  t.deepEqual(await readIds(system), [], 'a cursor would have moved past the row that is still to come');
  await late.commit();
  await until(async () => (await readIds(system)).length === 2);
  t.deepEqual(await readIds(system), ['late', 'early']);
});

test('readLog goes on once a transaction in front has rolled back', async (t) => {
  const { system } = await setUp(t);
  const late = await openWriter(system, 'late');
  await system.acrossTenants((tx) => append(tx, 'early'));
  await late.rollback();
  await until(async () => (await readIds(system)).length === 1);
  t.deepEqual(await readIds(system), ['early']);
});

test('readLog goes on after the cursor, as far as the limit', async (t) => {
  const { system } = await setUp(t);
  for (const id of ['1', '2', '3', '4']) await system.acrossTenants((tx) => append(tx, id));
  await until(async () => (await readIds(system)).length === 4);
  const second = (await readAll(system))[1]!;
  const rows = await readLog(system.pool, {
    log: MESSAGE_OUTBOX,
    columns: ['message_id', 'tenant_id'],
    limit: 1,
    from: [{ partition: second.partition, cursor: second }],
  });
  t.deepEqual(
    rows.map(({ message_id, tenant_id }) => [message_id, tenant_id]),
    [['3', 'acme']],
  );
  t.deepEqual(await usedPartitions(system.pool, MESSAGE_OUTBOX), [second.partition]);
});

test('a log shows a tenant its own rows only', async (t) => {
  const { system, url } = await setUp(t);
  await system.acrossTenants((tx) => append(tx, '1'));
  await until(async () => (await readIds(system)).length === 1);
  const db = openTestDb(url);
  t.teardown(() => db.close());
  t.is(await db.inTenant('other', (tx) => tx.outgoingMessage.count()), 0);
});

test('lockStreams keeps a stream in the order of its commits', async (t) => {
  const { system, superuser } = await setUp(t);
  const locked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const first = system.acrossTenants(async (tx) => {
    await lockStreams(tx, ['user']);
    locked.resolve();
    await goOn.promise;
    await append(tx, 'first');
  });
  await locked.promise;
  const second = system.acrossTenants(async (tx) => {
    await lockStreams(tx, ['another', 'user']);
    await append(tx, 'second');
  });
  await until(async () => {
    const { rowCount } = await superuser.query(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM " +
        'pg_database WHERE datname = current_database())',
    );
    return rowCount === 1;
  });
  goOn.resolve();
  await Promise.all([first, second]);
  await until(async () => (await readIds(system)).length === 2);
  t.deepEqual(await readIds(system), ['first', 'second']);
});

test('lockStreams does not deadlock on keys in another order', async (t) => {
  const { system } = await setUp(t);
  const keys = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      system.acrossTenants(async (tx) => {
        await lockStreams(tx, index % 2 === 0 ? keys : keys.toReversed());
        await append(tx, String(index));
      }),
    ),
  );
  await until(async () => (await readIds(system)).length === 20);
  t.pass();
});

test('lockStreams throws when the transaction has written before', async (t) => {
  const { system } = await setUp(t);
  await t.throwsAsync(
    system.acrossTenants(async (tx) => {
      await append(tx, '1');
      await lockStreams(tx, ['user']);
    }),
    { message: /after the transaction had written/ },
  );
});

test('saveCursors counts only for the holder of the lease', async (t) => {
  const {
    system: { pool },
    superuser,
  } = await setUp(t);
  const [first, second] = [
    { reader: 'r', member: 'first' },
    { reader: 'r', member: 'second' },
  ];
  const [held] = await acquirePartitions(pool, { ...first, partitions: [3], leaseMs: 600_000 });
  t.deepEqual(held, { partition: 3, cursor: { epoch: 1, ...START } });
  t.deepEqual(await acquirePartitions(pool, { ...second, partitions: [3], leaseMs: 600_000 }), []);
  const at = (xid: string) => [{ partition: 3, cursor: { epoch: 1, xid, position: '7' } }];
  t.deepEqual(await saveCursors(pool, { ...first, cursors: at('18446744073709551000'), release: false }), [3]);

  await superuser.query("UPDATE log_cursors SET lease_until = now() - interval '1 s'");
  const [taken] = await acquirePartitions(pool, { ...second, partitions: [3], leaseMs: 600_000 });
  t.deepEqual(taken?.cursor, { epoch: 1, xid: '18446744073709551000', position: '7' });
  t.deepEqual(await saveCursors(pool, { ...first, cursors: at('9'), release: true }), []);
  t.deepEqual(await renewPartitions(pool, { ...first, partitions: [3], leaseMs: 600_000 }), []);
  t.deepEqual(await saveCursors(pool, { ...second, cursors: at('10'), release: true }), [3]);
  t.like((await acquirePartitions(pool, { ...first, partitions: [3], leaseMs: 600_000 }))[0], {
    cursor: { xid: '10' },
  });
});

test('resetCursors makes rows of another cluster readable in their order, and fences readers at work', async (t) => {
  const { system, superuser } = await setUp(t);
  const self = { reader: 'r', member: 'm' };
  for (const id of ['1', '2', '3']) await system.acrossTenants((tx) => append(tx, id));
  const held = await acquirePartitions(system.pool, { ...self, partitions: [0], leaseMs: 600_000 });
  t.false(await isRestoredElsewhere(system));

  // As after a restore: what was written so far has ids that this cluster has not reached.
  await superuser.query(
    "UPDATE outgoing_messages SET xid = '900000000'; UPDATE log_cursors SET xid = '900000000', position = 2",
  );
  await system.acrossTenants((tx) => append(tx, '4'));
  t.true(await isRestoredElsewhere(system));
  await until(async () => (await readIds(system)).includes('4'));
  t.deepEqual(await readIds(system), ['4']);

  await resetCursors(system);
  t.false(await isRestoredElsewhere(system));
  await until(async () => (await readIds(system)).length === 4);
  t.deepEqual(await readIds(system), ['1', '2', '3', '4']);
  t.deepEqual(await saveCursors(system.pool, { ...self, cursors: held, release: false }), []);
  t.deepEqual(await acquirePartitions(system.pool, { ...self, partitions: [0], leaseMs: 600_000 }), [
    { partition: 0, cursor: { epoch: 2, ...START } },
  ]);
});

test("horizonLag shows what is committed and can't be read, and the transaction that holds it back", async (t) => {
  const { system } = await setUp(t);
  const holder = await openWriter(system, 'late');
  await system.acrossTenants((tx) => append(tx, 'early'));
  const lag = await horizonLag(system, LOGS);
  t.true(lag.unreadableMs > 0);
  t.true(lag.transactionMs >= lag.unreadableMs);
  await holder.commit();
  await until(async () => (await horizonLag(system, LOGS)).unreadableMs === 0);
  t.true((await readerLagMs(system, { reader: 'nobody', log: MESSAGE_OUTBOX })) > 0);
  t.is(await readerLagMs(system, { reader: 'nobody', log: BUS_LOG }), 0);
});

test('horizonLag says when it may not see how old a transaction is', async (t) => {
  const { system, superuser, url } = await setUp(t);
  const login = `login_${randomBytes(6).toString('hex')}`;
  // It sees every tenant, as steadfast_system does where nobody gave it pg_read_all_stats.
  await superuser.query(`
    CREATE ROLE ${login} LOGIN BYPASSRLS PASSWORD 'secret';
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO ${login};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${login}`);
  const plainUrl = new URL(url);
  [plainUrl.username, plainUrl.password] = [login, 'secret'];
  const plain = openSystemDb({ url: plainUrl.href, poolSize: 5, applicationName: 'test' });
  try {
    const own = await openWriter(plain, 'own');
    t.true((await horizonLag(plain, LOGS)).transactionMs > 0);
    await own.commit();
    const others = await openWriter(system, 'others');
    await plain.acrossTenants((tx) => append(tx, 'early'));
    const lag = await horizonLag(plain, LOGS);
    t.true(lag.hiddenTransactions > 0);
    t.true(lag.unreadableMs > 0, 'the age of the rows tells of the stall even so');
    await others.commit();
  } finally {
    await plain.close();
    await superuser.query(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
  }
});
