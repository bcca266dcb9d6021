import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { createPgStore, createSyncHelper, postgresBus, type Bus, type Park } from '../../packages/sync-helper/index.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createConsumers } from '../../src/consumers/consumers.ts';
import { asyncApiDocument } from '../../src/events/asyncapi.ts';
import { TOPICS, userEvent } from '../../src/events/user-events.ts';
import { defaultPorts } from '../../src/gateways/default-ports.ts';
import { readerName } from '../../src/messaging/postgres/postgres-bus.ts';
import type { BusMessage } from '../../src/messaging/bus.ts';
import { createPostgresPublisher } from '../../src/messaging/postgres/postgres-publisher.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';

const [tenantId, id] = ['default', '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01'];

interface Team {
  /** Acts as the owner of both databases. */
  readonly owner: pg.Pool;
  readonly ownerUrl: string;
  /** URL of the bus, with the team's own login. */
  readonly url: string;
  readonly pool: pg.Pool;
  /** Publishes as Steadfast does. */
  announce(messages: readonly BusMessage[]): Promise<void>;
  openBus(park?: Park): Bus;
}

/** A team with a login that may use the bus and nothing else, and a database of its own. */
async function createTeam(t: ExecutionContext): Promise<Team> {
  const [product, own] = [await createDatabase(), await createDatabase()];
  const login = `team_${randomUUID().slice(0, 8)}`;
  const owner = new pg.Pool({ connectionString: product.url, max: 2 });
  const pool = new pg.Pool({ connectionString: own.url, max: 5 });
  await owner.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT steadfast_bus_member TO ${login}`);
  const url = Object.assign(new URL(product.url), { username: login, password: 'secret' }).href;
  const system = openTestSystem(product.url, 2);
  const buses: Bus[] = [];
  // What is idle while its database is dropped is nobody's failure.
  for (const each of [pool, owner]) each.on('error', () => {});
  t.teardown(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await Promise.all([pool.end(), system.close()]);
    await owner.query(`DROP ROLE ${login}`);
    await owner.end();
    await Promise.all([product.drop(), own.drop()]);
  });
  return {
    owner,
    ownerUrl: product.url,
    url,
    pool,
    announce: createPostgresPublisher({ pool: system.pool, partitions: 8 }),
    openBus: (park) => {
      const bus = postgresBus({
        url,
        pollMs: 50,
        retryDelaysMs: [10],
        leaseMs: 1_500,
        ...(park === undefined ? {} : { park }),
      });
      buses.push(bus);
      return bus;
    },
  };
}

const USER = {
  tenantId,
  id,
  authSubject: 'auth|1',
  email: 'ada@example.com',
  name: null,
  locale: 'fr',
  phone: null,
  status: 'active',
  customerId: null,
  customerKind: null,
  updatedAt: new Date('2026-01-02T03:04:05Z'),
} as const;

function told(version: number) {
  const topic = version === 1 ? TOPICS.userCreated : TOPICS.userUpdated;
  return userEvent({ topic, messageId: `e${version}`, services: ['accounting'], user: { ...USER, version } });
}

async function answers({ owner }: Team): Promise<string[]> {
  const { rows } = await owner.query<{ answer: string }>(`
    SELECT topic || ' ' || (payload::jsonb->'data'->>'userVersion') AS answer FROM bus_messages
      WHERE topic LIKE 'sync.user.%' ORDER BY position`);
  return rows.map(({ answer }) => answer);
}

test("a member of the bus publishes, reads and answers with steadfast_bus_member's rights", async (t) => {
  const team = await createTeam(t);
  const bus = team.openBus();
  const helper = createSyncHelper({ service: 'accounting', bus });
  const store = createPgStore({ pool: team.pool });
  await store.migrate();
  await store.migrate();
  await team.pool.query('CREATE TABLE copies (user_id uuid PRIMARY KEY, version int)');
  let failures = 1;
  await helper.handleUserEvents({
    store,
    onUser: async ({ userId, userVersion }, client) => {
      await client.query('INSERT INTO copies VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET version = $2', [
        userId,
        userVersion,
      ]);
      if (failures-- > 0) throw new Error('not today');
    },
    onUserDeleted: async ({ userId }, client) =>
      void (await client.query('DELETE FROM copies WHERE user_id = $1', [userId])),
  });
  const copies = async () =>
    (await team.pool.query<{ version: number }>('SELECT version FROM copies')).rows.map(({ version }) => version);

  await team.announce([told(1)]);
  await until(async () => (await answers(team)).length === 1);
  t.deepEqual(await copies(), [], 'what a failing onUser wrote is undone');
  await team.announce([{ ...told(1), messageId: 'again' }, told(2)]);
  await until(async () => (await answers(team)).length === 3);
  t.deepEqual(await copies(), [2]);
  t.deepEqual(await answers(team), ['sync.user.failed 1', 'sync.user.confirmed 1', 'sync.user.confirmed 2']);
  await helper.requestReconciliation({ tenantId, userId: id, reason: 'restored' });
  const deletion = { topic: TOPICS.userDeleted, messageId: 'gone', user: { ...USER, version: 3 } } as const;
  await team.announce([userEvent({ ...deletion, services: ['accounting', 'portfolio'] })]);
  await until(async () => (await answers(team)).at(-1) === 'sync.user.confirmed 3');
  t.deepEqual(await copies(), [], 'a deletion is confirmed once it has been done');
});

test('while its own database is away a service loses no event and gives up on none', async (t) => {
  const team = await createTeam(t);
  const parked: string[] = [];
  const bus = team.openBus(async ({ message }) => void parked.push(message.messageId));
  const store = createPgStore({ pool: team.pool, table: 'public.held' });
  let attempts = 0;
  const helper = createSyncHelper({ service: 'accounting', bus });
  const subscription = await helper.handleUserEvents({
    store: {
      withCopy: (key, work) => {
        attempts += 1;
        return store.withCopy(key, work);
      },
    },
    onUser: async () => {},
    onUserDeleted: async () => {},
  });
  await team.announce([told(1)]);
  await until(() => attempts >= 4); // more than the bus has retries; the table is not there yet
  t.deepEqual(await answers(team), []);
  await store.migrate();
  await until(async () => (await answers(team)).length === 1);
  t.deepEqual(parked, []);
  await subscription.stop();
});

test('a deletion that fails outlives its process, holds nobody up, and is confirmed once it was done', async (t) => {
  const team = await createTeam(t);
  const store = createPgStore({ pool: team.pool });
  await store.migrate();
  let isBroken = true;
  const parked: string[] = [];
  const serve = () => {
    const bus = team.openBus(async ({ message }) => void parked.push(message.messageId));
    return createSyncHelper({ service: 'accounting', bus }).handleUserEvents({
      store,
      onUser: async () => {},
      onUserDeleted: async () => {
        if (isBroken) throw new Error('busy');
      },
    });
  };
  const first = await serve();
  const deletion = { topic: TOPICS.userDeleted, messageId: 'gone', user: { ...USER, version: 2 } } as const;
  const other = { ...USER, id: randomUUID(), version: 3 };
  await team.announce([
    userEvent({ ...deletion, services: ['accounting'] }),
    userEvent({ topic: TOPICS.userUpdated, messageId: 'other', user: other, services: ['accounting'] }),
  ]);
  await until(async () => (await answers(team)).includes('sync.user.confirmed 3'));
  await until(async () => (await store.deletions.list()).some(({ attempts }) => attempts > 1));
  await first.stop();
  isBroken = false;
  await store.deletions.replay();
  const second = await serve();
  await until(async () => (await answers(team)).at(-1) === 'sync.user.confirmed 2');
  await until(async () => (await store.deletions.list()).length === 0);
  t.true((await answers(team)).includes('sync.user.failed 2'));
  t.deepEqual(parked, []);
  await second.stop();
});

test("what onUser wrote and can't be committed is its failure, not an outage", async (t) => {
  const team = await createTeam(t);
  const bus = team.openBus();
  const store = createPgStore({ pool: team.pool });
  await store.migrate();
  await team.pool.query('CREATE TABLE once (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)');
  await createSyncHelper({ service: 'accounting', bus }).handleUserEvents({
    store,
    onUserDeleted: async () => {},
    onUser: async ({ userVersion }, client) => {
      if (userVersion === 1) await client.query('INSERT INTO once VALUES (1), (1)');
      if (userVersion === 2) await client.query('no SQL').catch(() => {});
    },
  });
  await team.announce([told(1), told(2), told(3)]);
  await until(async () => (await answers(team)).length === 3);
  t.deepEqual(await answers(team), ['sync.user.failed 1', 'sync.user.failed 2', 'sync.user.confirmed 3']);
});

test("poison goes to the team's own parking, once", async (t) => {
  const team = await createTeam(t);
  const parked: string[] = [];
  const bus = team.openBus(async ({ message, group }) => void parked.push(`${group} ${message.messageId}`));
  const store = createPgStore({ pool: team.pool });
  await store.migrate();
  await createSyncHelper({ service: 'accounting', bus }).handleUserEvents({
    store,
    onUser: async () => {},
    onUserDeleted: async () => {},
  });
  await team.announce([{ ...told(1), payload: 'poison' }, told(2)]);
  await until(async () => (await answers(team)).length === 1);
  t.deepEqual(parked, ['accounting e1']);
  t.deepEqual(await answers(team), ['sync.user.confirmed 2']);
});

test('what a member publishes bears its log-in, and no other member reads its answers', async (t) => {
  const team = await createTeam(t);
  await team.announce([told(1)]);
  await team.owner.query(`
    INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload, published_by)
      VALUES ('default', 'theirs', 'sync.user.confirmed', 'k', 0, '{}', 'portfolio')`);
  await team.openBus().publish([{ ...told(1), messageId: 'own', topic: TOPICS.syncConfirmed }]);
  const { username: login } = new URL(team.url);
  const seenBy = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<{ told: string }>(
        `SELECT message_id || ' by ' || published_by AS told FROM bus_messages ORDER BY position`,
      );
      return rows.map((row) => row.told);
    } finally {
      await client.end();
    }
  };
  t.deepEqual(await seenBy(team.url), ['e1 by steadfast_system', `own by ${login}`]);
});

const FORBIDDEN: readonly (readonly [string, string])[] = [
  ['read users', 'SELECT 1 FROM users'],
  ['read dead letters', 'SELECT 1 FROM dead_letters'],
  ['write the message outbox', 'INSERT INTO outgoing_messages DEFAULT VALUES'],
  [
    'announce a change of a user',
    `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload)
      VALUES ('acme', 'm', 'user.deleted', 'k', 0, '{}')`,
  ],
  [
    'say what became of a routing slip',
    `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload)
      VALUES ('acme', 'm', 'routing-slips', 'k', 0, '{}')`,
  ],
  [
    'say who published',
    `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload, published_by)
      VALUES ('acme', 'm', 'sync.user.confirmed', 'k', 0, '{}', 'portfolio')`,
  ],
  [
    'choose the place of a message',
    `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload, xid)
      VALUES ('acme', 'm', 'sync.user.confirmed', 'k', 0, '{}', '9')`,
  ],
  ['change messages', 'UPDATE bus_messages SET payload = payload'],
  ['remove messages', 'DELETE FROM bus_messages'],
  ['remove cursors', 'DELETE FROM log_cursors'],
  ["move another reader's cursor", "INSERT INTO log_cursors (reader, partition) VALUES ('outgoing-relay', 0)"],
  [
    'move the cursor of our consumer',
    "INSERT INTO log_cursors (reader, partition) VALUES ('bus:sync-confirmations:x', 0)",
  ],
  [
    "take a lease that is not a bus reader's",
    "INSERT INTO leases (name, owner, expires_at) VALUES ('alerts', 'me', now())",
  ],
];
test('what we say, and how far we have heard, is not for a member of the bus to say', async (t) => {
  const team = await createTeam(t);
  const db = openTestDb(team.ownerUrl, 1);
  const config = loadConfig({});
  const consumers = createConsumers({ db, config, ...defaultPorts(config) });
  const { operations, channels } = asyncApiDocument();
  const ours = Object.values(operations)
    .filter(({ action }) => action === 'send')
    .map(({ channel }) => new Map(Object.entries(channels)).get(channel.$ref.replace('#/channels/', ''))?.address);
  t.true(consumers.length > 4 && ours.length > 7);
  const member = new pg.Pool({ connectionString: team.url, max: 1 });
  member.on('error', () => {});
  const refused = { message: /row-level security/ };
  try {
    for (const topic of ours) {
      const text = `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload)
        VALUES ('acme', 'm', $1, 'k', 0, '{}')`;
      await t.throwsAsync(member.query(text, [topic]), refused, topic);
    }
    for (const consumer of consumers) {
      const reader = readerName(consumer);
      const move = 'INSERT INTO log_cursors (reader, partition) VALUES ($1, 0)';
      await t.throwsAsync(member.query(move, [reader]), refused, reader);
      const take = "INSERT INTO leases (name, owner, expires_at) VALUES ($1, 'me', now())";
      await t.throwsAsync(member.query(take, [`log-reader:${reader}:0`]), refused, reader);
    }
    const own = readerName({ group: 'payment', topics: ['user.created', 'user.deleted'] });
    t.is((await member.query('INSERT INTO log_cursors (reader, partition) VALUES ($1, 0)', [own])).rowCount, 1);
  } finally {
    await member.end();
    await db.close();
  }
});

test('a member of the bus may do nothing else', async (t) => {
  const team = await createTeam(t);
  await team.owner.query(`
    INSERT INTO log_cursors (reader, partition) VALUES ('outgoing-relay', 0);
    INSERT INTO leases (name, owner, expires_at) VALUES ('alerts', 'api', now())`);
  const member = new pg.Pool({ connectionString: team.url, max: 1, options: '-c steadfast.tenant=*' });
  member.on('error', () => {});
  try {
    for (const [title, statement] of FORBIDDEN) {
      await t.throwsAsync(member.query(statement), { message: /permission denied|row-level security/ }, title);
    }
    t.is((await member.query('SELECT FROM log_cursors')).rowCount, 0);
    t.is((await member.query('SELECT FROM leases')).rowCount, 0);
    t.is((await member.query('DELETE FROM leases')).rowCount, 0);
  } finally {
    await member.end();
  }
});
