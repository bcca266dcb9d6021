import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { loadConfig } from '../../src/config/config.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { acquirePartitions, renewPartitions } from '../../src/messaging/log/log-leases.ts';
import { removeExpired } from '../../src/maintenance/retention/retention.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { temporalAt } from '../support/temporal.ts';

const TENANT = 'acme';
const OLD = new Date(Date.now() - 31 * 24 * 3_600_000);
const config = loadConfig({});

interface Fixture {
  system: SystemDb;
  superuser: pg.Client;
  readonly cleanUp: () => Promise<Readonly<Record<string, number>>>;
}

async function setUp(t: ExecutionContext): Promise<Fixture> {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 3);
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  t.teardown(async () => {
    await superuser.end();
    await system.close();
    await database.drop();
  });
  const { client } = temporalAt(t);
  return { system, superuser, cleanUp: () => removeExpired({ system, client, config }, () => {}) };
}

/**
 * `count` old messages of one partition; the rows of a statement share a transaction id and are in the order of their
 * positions.
 */
async function addMessages(
  { superuser }: Fixture,
  table: string,
  { count: many = 1, key = 'k', topic = 't', partition = 0, createdAt = OLD } = {},
): Promise<void> {
  await superuser.query(
    `
    INSERT INTO ${table} (tenant_id, message_id, topic, key, partition, payload, created_at)
    SELECT $1, gen_random_uuid(), $2, $3, $4, '{}', $5 FROM generate_series(1, $6::int)`,
    [TENANT, topic, key, partition, createdAt, many],
  );
}

/** The last one, in the order of the ids, of so many. */
async function addUser({ system }: Fixture, deletedAt: Date | null, users = 1): Promise<string> {
  const ids = Array.from({ length: users }, () => randomUUID()).toSorted();
  await system.acrossTenants((tx) =>
    tx.user.createMany({
      data: ids.map((id) => ({
        tenantId: TENANT,
        id,
        authSubject: id,
        email: `${id}@example.com`,
        deletedAt,
        syncEndedAt: deletedAt,
      })),
    }),
  );
  return ids.at(-1) ?? '';
}

async function count({ superuser }: Fixture, table: string): Promise<number> {
  const { rows } = await superuser.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? -1;
}

const letter = (rest: { source?: string; key: string; messageId?: string; status?: 'parked' | 'replayed' }) => ({
  tenantId: TENANT,
  id: randomUUID(),
  source: 'pending-start',
  type: 't',
  cause: 'c',
  detail: '',
  messageId: randomUUID(),
  payload: '',
  ...rest,
});
const notification = (rest: {
  userId?: string;
  toUser?: boolean;
  status: 'pending' | 'sent' | 'kept' | 'failed';
  createdAt?: Date;
  id?: string;
}) => ({
  tenantId: TENANT,
  id: randomUUID(),
  userId: randomUUID(),
  kind: 'reminder',
  deadline: new Date(0),
  recipient: randomUUID(),
  toUser: true,
  locale: 'en',
  subject: '',
  text: '',
  html: '',
  createdAt: OLD,
  ...rest,
});

test('old messages go, in more than one batch, once every reader has passed them', async (t) => {
  const fixture = await setUp(t);
  await addMessages(fixture, 'bus_messages', { count: 6_000 });
  await addMessages(fixture, 'bus_messages', { count: 10, createdAt: new Date() });
  await fixture.system.pool.query(`INSERT INTO log_cursors (reader, partition, xid, position, lease_until)
    VALUES ('bus:fast', 0, pg_current_xact_id(), 0, now()), ('bus:slow', 0, '0', 0, now())`);
  t.like(await fixture.cleanUp(), { bus_messages: 0 });
  await fixture.superuser.query(
    'UPDATE log_cursors SET (xid, position) = (SELECT xid, position FROM bus_messages ORDER BY xid, position ' +
      "OFFSET 5499 LIMIT 1) WHERE reader = 'bus:slow'",
  );
  t.like(await fixture.cleanUp(), { bus_messages: 5_500 });
  await fixture.superuser.query("DELETE FROM log_cursors WHERE reader = 'bus:slow'");
  t.like(await fixture.cleanUp(), { bus_messages: 500 });
  t.is(await count(fixture, 'bus_messages'), 10);
});

test('old messages that were never published stay', async (t) => {
  const fixture = await setUp(t);
  await addMessages(fixture, 'outgoing_messages');
  t.like(await fixture.cleanUp(), { outgoing_messages: 0 });
  await fixture.system.pool.query(
    "INSERT INTO log_cursors (reader, partition, xid, updated_at) VALUES ('outgoing-relay', 0, '0', to_timestamp(0))",
  );
  await fixture.cleanUp();
  await fixture.superuser.query('UPDATE log_cursors SET abandoned_at = to_timestamp(0)');
  t.like(await fixture.cleanUp(), { outgoing_messages: 0, log_cursors: 0 });
  await fixture.superuser.query('UPDATE log_cursors SET xid = pg_current_xact_id()');
  t.like(await fixture.cleanUp(), { outgoing_messages: 1 });
});

test('a reader that nobody was for the retention goes at the second look, and what it kept with it', async (t) => {
  const fixture = await setUp(t);
  await addMessages(fixture, 'bus_messages');
  const {
    system: { pool },
    superuser,
  } = fixture;
  for (const reader of ['bus:gone', 'bus:back'])
    await acquirePartitions(pool, { reader, member: 'm', partitions: [0], leaseMs: 0 });
  await superuser.query("UPDATE log_cursors SET xid = pg_current_xact_id() WHERE reader = 'bus:back'");
  await superuser.query('UPDATE log_cursors SET updated_at = $1', [OLD]);
  t.like(await fixture.cleanUp(), { log_cursors: 0, bus_messages: 0 });
  await acquirePartitions(pool, { reader: 'bus:back', member: 'n', partitions: [0], leaseMs: 0 });
  await superuser.query("UPDATE log_cursors SET abandoned_at = abandoned_at - interval '1 hour'");
  t.like(await fixture.cleanUp(), { log_cursors: 1, bus_messages: 1 });
  t.deepEqual((await superuser.query('SELECT reader FROM log_cursors')).rows, [{ reader: 'bus:back' }]);
});

test('renewing a lease shows that an idle reader is there', async (t) => {
  const {
    system: { pool },
    superuser,
    cleanUp,
  } = await setUp(t);
  const reader = { reader: 'bus:idle', member: 'm', partitions: [0], leaseMs: 0 };
  await acquirePartitions(pool, reader);
  await superuser.query('UPDATE log_cursors SET updated_at = $1, abandoned_at = $1', [OLD]);
  await renewPartitions(pool, reader);
  t.like(await cleanUp(), { log_cursors: 0 });
});

test('notifications go with age but for those that wait, or may still be replayed', async (t) => {
  const fixture = await setUp(t);
  const failed = randomUUID();
  await fixture.system.acrossTenants(async (tx) => {
    await tx.notification.createMany({
      data: [
        notification({ status: 'sent' }),
        notification({ status: 'kept' }),
        notification({ status: 'failed' }),
        notification({ status: 'failed', id: failed }),
        notification({ status: 'pending' }),
        notification({ status: 'sent', createdAt: new Date() }),
      ],
    });
    await tx.deadLetter.create({ data: letter({ source: 'notification', key: 'k', messageId: failed }) });
  });
  t.like(await fixture.cleanUp(), { notifications: 3 });
  await fixture.system.acrossTenants((tx) => tx.deadLetter.updateMany({ data: { status: 'replayed' } }));
  t.like(await fixture.cleanUp(), { notifications: 1 });
});

test('the traces of a deleted user go from every table, whatever the form of the key', async (t) => {
  const fixture = await setUp(t);
  const [deleted, kept] = [await addUser(fixture, new Date()), await addUser(fixture, null)];
  for (const user of [deleted, kept]) {
    for (const table of ['outgoing_messages', 'bus_messages']) {
      for (const topic of ['user.updated', 'user.deleted'])
        await addMessages(fixture, table, { key: user, topic, createdAt: new Date() });
    }
    await fixture.system.acrossTenants(async (tx) => {
      await tx.deadLetter.createMany({
        data: [letter({ key: user }), letter({ key: `profile:${user}` }), letter({ key: `user-sync:${user}` })],
      });
      await tx.notification.createMany({
        data: [
          notification({ userId: user, status: 'sent', createdAt: new Date() }),
          notification({ userId: user, toUser: false, status: 'sent', createdAt: new Date() }),
        ],
      });
    });
  }
  t.like(await fixture.cleanUp(), { outgoing_messages: 1, bus_messages: 1, dead_letters: 3, notifications: 1 });
  t.is(await count(fixture, 'dead_letters'), 3);
});

test("another tenant's messages of the same key stay", async (t) => {
  const fixture = await setUp(t);
  const deleted = await addUser(fixture, new Date());
  await fixture.system.acrossTenants((tx) =>
    tx.deadLetter.create({ data: { ...letter({ key: deleted }), tenantId: 'other' } }),
  );
  t.like(await fixture.cleanUp(), { dead_letters: 0 });
});

test('a user is purged once the deletion is confirmed and as old as the retention, then left alone', async (t) => {
  const fixture = await setUp(t);
  const last = await addUser(fixture, OLD, 205);
  const recent = await addUser(fixture, new Date());
  const unconfirmed = await addUser(fixture, OLD);
  await fixture.system.acrossTenants((tx) =>
    tx.user.updateMany({ where: { id: unconfirmed }, data: { syncEndedAt: null } }),
  );
  await addMessages(fixture, 'bus_messages', { key: last, createdAt: new Date() });
  t.like(await fixture.cleanUp(), { bus_messages: 1 });
  const unpurged = await fixture.system.acrossTenants((tx) =>
    tx.user.findMany({ where: { purgedAt: null }, select: { id: true } }),
  );
  t.deepEqual(unpurged.map(({ id }) => id).toSorted(), [recent, unconfirmed].toSorted());
});

test('a table that fails is named in the error, and the others are cleaned', async (t) => {
  const fixture = await setUp(t);
  const deleted = await addUser(fixture, OLD);
  await fixture.system.acrossTenants(async (tx) => {
    await tx.inboxMessage.create({ data: { tenantId: TENANT, consumer: 'c', messageId: 'm', processedAt: OLD } });
    await tx.deadLetter.create({ data: letter({ key: deleted }) });
  });
  await fixture.superuser.query('REVOKE DELETE ON bus_messages, idempotency_keys FROM steadfast_system');
  await addMessages(fixture, 'bus_messages', { key: deleted });
  const error = await t.throwsAsync(fixture.cleanUp(), { instanceOf: AggregateError });
  t.regex(
    error?.message ?? '',
    /^the clean-up failed for bus_messages \(permission denied .*\), idempotency_keys \(.*\); .*"inbox_messages":1.*/,
  );
  t.is(await count(fixture, 'inbox_messages'), 0);
  t.is(await count(fixture, 'dead_letters'), 0);
  t.is(
    await fixture.system.acrossTenants((tx) => tx.user.count({ where: { purgedAt: null } })),
    1,
    'not purged while messages are left',
  );
});

test('leases that died with their process are removed, and living ones stay', async (t) => {
  const { system, superuser, cleanUp } = await setUp(t);
  await superuser.query(`INSERT INTO leases (name, owner, expires_at) VALUES
    ('dead', 'somebody', now() - interval '2 days'), ('alive', 'somebody', now() + interval '1 minute')`);
  await cleanUp();
  t.deepEqual((await system.pool.query('SELECT name FROM leases')).rows, [{ name: 'alive' }]);
});
