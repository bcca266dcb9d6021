import { LOGS } from '../../src/db/logs.ts';
import { BUS_LOG } from '../../src/messaging/postgres/bus-log.ts';
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { enqueueMessages, MESSAGE_OUTBOX } from '../../src/messaging/outbox/message-outbox.ts';
import { ALL_TENANTS, openDb, type Db, type Tx } from '../../src/postgres/client.ts';
import { horizonLag, readerLagMs } from '../../src/messaging/log/log-lag.ts';
import { acquirePartitions, renewPartitions, saveCursors } from '../../src/messaging/log/log-leases.ts';
import { isRestoredElsewhere } from '../../src/messaging/log/cluster-identity.ts';
import { resetCursors } from '../../src/maintenance/retention/reset-cursors.ts';
import { lockStreams } from '../../src/messaging/log/lock-streams.ts';
import { readLog, usedPartitions, type LogRow } from '../../src/messaging/log/log.ts';
import { createDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

const PARTITIONS = [0, 1, 2, 3, 4, 5, 6, 7];
const START = { xid: '0', position: '0' };

interface Fixture {
  db: Db;
  superuser: pg.Client;
  url: string;
}

async function setUp(t: ExecutionContext): Promise<Fixture> {
  const database = await createDatabase();
  const db = openDb({ url: database.url, role: 'steadfast_app', poolSize: 10, applicationName: 'test' });
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  t.teardown(async () => {
    await superuser.end();
    await db.close();
    await database.drop();
  });
  return { db, superuser, url: database.url };
}

const append = (tx: Tx, messageId: string) =>
  enqueueMessages(tx, [{ tenantId: 'acme', messageId, topic: 'topic', key: 'key', payload: '{}' }]);

/** Everything that can be read, in order. */
function readAll(db: Db): Promise<LogRow<'message_id'>[]> {
  return readLog(db.pool, ALL_TENANTS, {
    log: MESSAGE_OUTBOX,
    columns: ['message_id'],
    limit: 100,
    from: PARTITIONS.map((partition) => ({ partition, cursor: START })),
  });
}

async function readIds(db: Db): Promise<string[]> {
  return (await readAll(db)).map(({ message_id }) => message_id);
}

/** A transaction that has appended `messageId` and stays open until `commit` or `rollback` is called. */
async function openWriter(
  db: Db,
  messageId: string,
): Promise<{ commit: () => Promise<void>; rollback: () => Promise<void> }> {
  const wrote = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const done = db.inTenant('acme', async (tx) => {
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
  const { db } = await setUp(t);
  const late = await openWriter(db, 'late');
  await db.inTenant('acme', (tx) => append(tx, 'early'));
  t.deepEqual(await readIds(db), [], 'a cursor would have moved past the row that is still to come');
  await late.commit();
  await until(async () => (await readIds(db)).length === 2);
  t.deepEqual(await readIds(db), ['late', 'early']);
});

test('readLog goes on once a transaction in front has rolled back', async (t) => {
  const { db } = await setUp(t);
  const late = await openWriter(db, 'late');
  await db.inTenant('acme', (tx) => append(tx, 'early'));
  await late.rollback();
  await until(async () => (await readIds(db)).length === 1);
  t.deepEqual(await readIds(db), ['early']);
});

test('readLog goes on after the cursor, as far as the limit', async (t) => {
  const { db } = await setUp(t);
  for (const id of ['1', '2', '3', '4']) await db.inTenant('acme', (tx) => append(tx, id));
  await until(async () => (await readIds(db)).length === 4);
  const second = (await readAll(db))[1]!;
  const rows = await readLog(db.pool, ALL_TENANTS, {
    log: MESSAGE_OUTBOX,
    columns: ['message_id', 'tenant_id'],
    limit: 1,
    from: [{ partition: second.partition, cursor: second }],
  });
  t.deepEqual(
    rows.map(({ message_id, tenant_id }) => [message_id, tenant_id]),
    [['3', 'acme']],
  );
  t.deepEqual(await usedPartitions(db.pool, MESSAGE_OUTBOX), [second.partition]);
});

test('readLog shows a tenant its own rows only', async (t) => {
  const { db } = await setUp(t);
  await db.inTenant('acme', (tx) => append(tx, '1'));
  await until(async () => (await readIds(db)).length === 1);
  const rows = await readLog(db.pool, 'other', {
    log: MESSAGE_OUTBOX,
    columns: [],
    limit: 10,
    from: PARTITIONS.map((partition) => ({ partition, cursor: START })),
  });
  t.deepEqual(rows, []);
});

test('lockStreams keeps a stream in the order of its commits', async (t) => {
  const { db, superuser } = await setUp(t);
  const locked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const first = db.inTenant('acme', async (tx) => {
    await lockStreams(tx, ['user']);
    locked.resolve();
    await goOn.promise;
    await append(tx, 'first');
  });
  await locked.promise;
  const second = db.inTenant('acme', async (tx) => {
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
  await until(async () => (await readIds(db)).length === 2);
  t.deepEqual(await readIds(db), ['first', 'second']);
});

test('lockStreams does not deadlock on keys in another order', async (t) => {
  const { db } = await setUp(t);
  const keys = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      db.inTenant('acme', async (tx) => {
        await lockStreams(tx, index % 2 === 0 ? keys : keys.toReversed());
        await append(tx, String(index));
      }),
    ),
  );
  await until(async () => (await readIds(db)).length === 20);
  t.pass();
});

test('lockStreams throws when the transaction has written before', async (t) => {
  const { db } = await setUp(t);
  await t.throwsAsync(
    db.inTenant('acme', async (tx) => {
      await append(tx, '1');
      await lockStreams(tx, ['user']);
    }),
    { message: /after the transaction had written/ },
  );
});

test('saveCursors counts only for the holder of the lease', async (t) => {
  const {
    db: { pool },
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
  const { db, superuser } = await setUp(t);
  const self = { reader: 'r', member: 'm' };
  for (const id of ['1', '2', '3']) await db.inTenant('acme', (tx) => append(tx, id));
  const held = await acquirePartitions(db.pool, { ...self, partitions: [0], leaseMs: 600_000 });
  t.false(await isRestoredElsewhere(db));

  // As after a restore: what was written so far has ids that this cluster has not reached.
  await superuser.query(
    "UPDATE outgoing_messages SET xid = '900000000'; UPDATE log_cursors SET xid = '900000000', position = 2",
  );
  await db.inTenant('acme', (tx) => append(tx, '4'));
  t.true(await isRestoredElsewhere(db));
  await until(async () => (await readIds(db)).includes('4'));
  t.deepEqual(await readIds(db), ['4']);

  await resetCursors(db);
  t.false(await isRestoredElsewhere(db));
  await until(async () => (await readIds(db)).length === 4);
  t.deepEqual(await readIds(db), ['1', '2', '3', '4']);
  t.deepEqual(await saveCursors(db.pool, { ...self, cursors: held, release: false }), []);
  t.deepEqual(await acquirePartitions(db.pool, { ...self, partitions: [0], leaseMs: 600_000 }), [
    { partition: 0, cursor: { epoch: 2, ...START } },
  ]);
});

test("horizonLag shows what is committed and can't be read, and the transaction that holds it back", async (t) => {
  const { db } = await setUp(t);
  const holder = await openWriter(db, 'late');
  await db.inTenant('acme', (tx) => append(tx, 'early'));
  const lag = await horizonLag(db, LOGS);
  t.true(lag.unreadableMs > 0);
  t.true(lag.transactionMs >= lag.unreadableMs);
  await holder.commit();
  await until(async () => (await horizonLag(db, LOGS)).unreadableMs === 0);
  t.true((await readerLagMs(db, { reader: 'nobody', log: MESSAGE_OUTBOX })) > 0);
  t.is(await readerLagMs(db, { reader: 'nobody', log: BUS_LOG }), 0);
});

test('horizonLag says when it may not see how old a transaction is', async (t) => {
  const { db, superuser, url } = await setUp(t);
  const login = `login_${randomBytes(6).toString('hex')}`;
  await superuser.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret' IN ROLE steadfast_app`);
  const plainUrl = new URL(url);
  [plainUrl.username, plainUrl.password] = [login, 'secret'];
  const plain = openDb({ url: plainUrl.href, role: 'steadfast_app', poolSize: 5, applicationName: 'test' });
  try {
    const own = await openWriter(plain, 'own');
    t.true((await horizonLag(plain, LOGS)).transactionMs > 0);
    await own.commit();
    const others = await openWriter(db, 'others');
    await plain.inTenant('acme', (tx) => append(tx, 'early'));
    const lag = await horizonLag(plain, LOGS);
    t.true(lag.hiddenTransactions > 0);
    t.true(lag.unreadableMs > 0, 'the age of the rows tells of the stall even so');
    await others.commit();
  } finally {
    await plain.close();
    await superuser.query(`DROP ROLE ${login}`);
  }
});
