import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import type { Db } from '../../src/postgres/client.ts';
import { isDatabaseAway } from '../../src/postgres/errors.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { runApi } from '../support/api.ts';
import { createDatabase, openTestDb } from '../support/services.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { createWorld } from '../support/world.ts';

interface World {
  readonly db: Db;
  /** Somebody who holds the lock of a whole table until the test ends. */
  readonly lock: (table: string) => Promise<void>;
}

async function setUp(t: ExecutionContext, limits = ''): Promise<World> {
  const database = await createDatabase();
  const url = new URL(database.url);
  if (limits !== '') url.searchParams.set('options', `-c timezone=UTC ${limits}`);
  const db = openTestDb(url.href, 5);
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  t.teardown(async () => {
    await owner.end();
    await db.close();
    await database.drop();
  });
  return { db, lock: async (table) => void (await owner.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)) };
}

async function codeOf(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  t.true(isDatabaseAway(error), String(error));
  return typeof error === 'object' && error !== null ? String(Reflect.get(error, 'code')) : '';
}

test('a lock not to be had and a statement out of time are temporary, from Prisma and the driver', async (t) => {
  const { db, lock } = await setUp(t);
  await lock('users');
  for (const limit of ['lock_timeout', 'statement_timeout']) {
    const inPrisma = (work: Parameters<Db['inTenant']>[1]) =>
      db.inTenant('acme', async (tx) => {
        await tx.$executeRawUnsafe(`SET LOCAL ${limit} = 50`);
        await work(tx);
      });
    await codeOf(
      t,
      inPrisma((tx) => tx.user.count()),
    );
    await codeOf(
      t,
      inPrisma((tx) => tx.$queryRaw`SELECT FROM users`),
    );
    const driver = rawTransaction(db.pool, 'acme', async (client) => {
      await client.query(`SET LOCAL ${limit} = 50`);
      await client.query('SELECT FROM users');
    });
    t.is(await codeOf(t, driver), limit === 'lock_timeout' ? '55P03' : '57014');
  }
});

/** Two transactions, each of which does its first part before either does its second; yields why one of them failed. */
async function failureOf(
  t: ExecutionContext,
  transactions: readonly ((metOther: () => Promise<void>) => Promise<unknown>)[],
): Promise<unknown> {
  let arrived = 0;
  const all = Promise.withResolvers<void>();
  const metOther = async (): Promise<void> => {
    arrived += 1;
    if (arrived === transactions.length) all.resolve();
    await all.promise;
  };
  const outcomes = await Promise.allSettled(transactions.map((transaction) => transaction(metOther)));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  t.is(failures.length, 1, 'one of them is the victim');
  return failures[0];
}

test('a deadlock is temporary', async (t) => {
  const { db } = await setUp(t);
  const orders = [
    [1, 2],
    [2, 1],
  ] as const;
  const failure = await failureOf(
    t,
    orders.map(
      ([first, second]) =>
        (metOther) =>
          db.inTenant('acme', async (tx) => {
            await tx.$queryRaw`SELECT pg_advisory_xact_lock(${first}::int)::text`;
            await metOther();
            await tx.$queryRaw`SELECT pg_advisory_xact_lock(${second}::int)::text`;
          }),
    ),
  );
  t.true(isDatabaseAway(failure), String(failure));
});

test('a serialisation failure is temporary', async (t) => {
  const { db } = await setUp(t, '-c default_transaction_isolation=serializable');
  const failure = await failureOf(
    t,
    ['1', '2'].map(
      (id) => (metOther) =>
        rawTransaction(db.pool, 'acme', async (client) => {
          await client.query('SELECT count(*) FROM inbox_messages');
          await metOther();
          await client.query(
            "INSERT INTO inbox_messages (tenant_id, consumer, message_id) VALUES ('acme', 'test', $1)",
            [id],
          );
        }),
    ),
  );
  t.true(isDatabaseAway(failure), String(failure));
});

test('what is wrong with a statement itself is not temporary', async (t) => {
  const { db } = await setUp(t);
  for (const text of ['SELECT nothing', 'SELECT 1 / 0', "SELECT 'x'::int"]) {
    for (const work of [db.pool.query(text), db.inTenant('acme', (tx) => tx.$queryRawUnsafe(text))])
      t.false(isDatabaseAway(await work.catch((error: unknown) => error)), text);
  }
});

test('while a table is locked its requests are 503 with Retry-After, and nothing is kept under a key', async (t) => {
  const { db, lock } = await setUp(t, '-c lock_timeout=200');
  const world = await createWorld(t, { temporal: temporalAt(t, NO_TEMPORAL) });
  const api = await runApi({ ...world, db });
  const admin = { role: 'admin', sub: 'boss' } as const;
  const json = { authSubject: 'ada', email: 'ada@example.com' };
  await lock('users');
  for (const [method, path, ask] of [
    ['GET', '/users', admin],
    ['POST', '/users', { ...admin, json }],
    ['POST', '/users', { ...admin, json, headers: { 'Idempotency-Key': 'locked' } }],
    ['PATCH', '/users/11111111-1111-1111-1111-111111111111', { ...admin, json: { name: 'Ada' } }],
    ['GET', '/users/11111111-1111-1111-1111-111111111111', { role: 'user', sub: 'ada' }],
  ] as const) {
    const { status, body, headers } = await api.ask(method, path, ask);
    t.is(status, 503, `${method} ${path}`);
    t.like(body, { code: 'database_unavailable', retryable: true });
    t.regex(headers.get('Retry-After') ?? '', /^\d+$/);
  }
  t.is(await db.inTenant('default', (tx) => tx.idempotencyKey.count()), 0);
});
