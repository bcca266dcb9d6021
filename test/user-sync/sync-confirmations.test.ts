import test, { type ExecutionContext } from 'ava';
import { PoisonError, type BusMessage } from '../../src/messaging/bus.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { createReplayer, messageOf } from '../../src/messaging/dead-letters/replay.ts';
import { syncConfirmations } from '../../src/consumers/user-sync/sync-confirmations.ts';
import { SYNC_CONFIRMATIONS } from '../../src/events/user-events.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { listDeadLetters } from '../../src/messaging/dead-letters/dead-letters.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';

const TENANT = 'acme';
const USER = '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01';
const DELETED = '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a02';

const config = { SYNC_SERVICES: ['accounting', 'portfolio'] };

async function setUp(t: ExecutionContext): Promise<Db> {
  return (await setUpBoth(t)).db;
}

async function setUpBoth(t: ExecutionContext): Promise<{ db: Db; system: SystemDb }> {
  const database = await createDatabase();
  const [db, system] = [openTestDb(database.url), openTestSystem(database.url)];
  t.teardown(async () => {
    await Promise.all([db.close(), system.close()]);
    await database.drop();
  });
  await db.inTenant(TENANT, async (tx) => {
    await tx.user.create({
      data: {
        tenantId: TENANT,
        id: USER,
        authSubject: 'auth|1',
        email: 'ada@example.com',
        version: 3,
        services: { create: { service: 'accounting' } },
      },
    });
    await tx.user.create({
      data: {
        tenantId: TENANT,
        id: DELETED,
        authSubject: 'deleted:2',
        email: '',
        deletedAt: new Date(0),
        services: { create: { service: 'accounting' } },
      },
    });
  });
  return { db, system };
}

interface Said {
  type?: string;
  id?: string;
  tenantid?: string;
  data?: object;
}

function said(
  { type = 'sync.user.confirmed', id = 'e1', tenantid = TENANT, data }: Said = {},
  from = 'accounting',
): BusMessage {
  const payload = JSON.stringify({
    specversion: '1.0',
    id,
    source: from,
    type,
    tenantid,
    data: data ?? { userId: USER, service: 'accounting', userVersion: 3 },
  });
  return { tenantId: TENANT, messageId: `m-${id}`, topic: type, key: USER, payload };
}

function promised(db: Db) {
  return db.inTenant(TENANT, (tx) => tx.pendingStart.findMany({ orderBy: { position: 'asc' } }));
}

test("a confirmation is promised to the user's workflow as a signal", async (t) => {
  const db = await setUp(t);
  await syncConfirmations({ db, config }).handle(said());
  const [call, ...others] = await promised(db);
  t.deepEqual(others, []);
  t.like(call, {
    kind: 'signal_with_start',
    workflowType: 'userSync',
    workflowId: `user-sync:${USER}`,
    input: { tenantId: TENANT, userId: USER },
    signalName: 'confirmed',
    signalArg: { service: 'accounting', userVersion: 3 },
  });
});

test('a log-in speaks for the service of its name, and one of no service for those that share it', async (t) => {
  const db = await setUp(t);
  const { handle } = syncConfirmations({ db, config });
  await handle({ ...said({ id: 'own' }), publishedBy: 'accounting' });
  await handle({ ...said({ id: 'shared' }), publishedBy: 'bridge' });
  t.is((await promised(db)).length, 2);
});

test('a failure and a request for reconciliation become signals of their own', async (t) => {
  const db = await setUp(t);
  const { handle } = syncConfirmations({ db, config });
  const [about, error] = [{ userId: USER.toUpperCase(), service: 'accounting' }, `full\0 ${'x'.repeat(2_000)}`];
  await handle(said({ id: '1', type: 'sync.user.failed', data: { ...about, userVersion: 2, error } }));
  await handle(
    said({ id: '2', type: 'sync.user.reconciliation.request', data: { ...about, userVersion: 1, reason: 'restored' } }),
  );
  await handle(said({ id: '3', type: 'sync.user.reconciliation.request', data: about }));
  const calls = await promised(db);
  t.deepEqual(
    calls.map(({ workflowId, signalName, signalArg }) => [workflowId, signalName, signalArg]),
    [
      [
        `user-sync:${USER}`,
        'failed',
        { service: 'accounting', userVersion: 2, error: error.slice(0, 1_000).replace('\0', ' ') },
      ],
      [`user-sync:${USER}`, 'reconcile', { service: 'accounting', heldVersion: 1 }],
      [`user-sync:${USER}`, 'reconcile', { service: 'accounting' }],
    ],
  );
});

test('an event takes effect once, however often and under whatever message id it comes', async (t) => {
  const db = await setUp(t);
  const { handle } = syncConfirmations({ db, config });
  await Promise.all([handle(said()), handle(said()), handle({ ...said(), messageId: 'another' })]);
  t.is((await promised(db)).length, 1);
  await handle(said({}, 'another source'));
  t.is((await promised(db)).length, 2);
});

test("an event without a tenant is its message's tenant's", async (t) => {
  const db = await setUp(t);
  const payload = said().payload.replace('"tenantid":"acme",', '');
  t.false(payload.includes('tenantid'));
  await syncConfirmations({ db, config }).handle({ ...said(), payload });
  t.is((await promised(db)).length, 1);
});

test('an event about a deletion counts until all have confirmed, then one alone that doubts it', async (t) => {
  const db = await setUp(t);
  const { handle } = syncConfirmations({ db, config });
  const about = { userId: DELETED, service: 'accounting', userVersion: 1 };
  const signals = async () => (await promised(db)).map(({ signalName }) => signalName);
  await handle(said({ data: about }));
  t.deepEqual(await signals(), ['confirmed']);
  await db.inTenant(TENANT, (tx) => tx.user.updateMany({ where: { id: DELETED }, data: { syncEndedAt: new Date() } }));
  await handle(said({ id: 'e2', data: about }));
  await handle(said({ id: 'e3', type: 'sync.user.reconciliation.request', data: about }));
  await handle(said({ id: 'e4', data: { ...about, service: 'portfolio' } }));
  t.deepEqual(await signals(), ['confirmed'], 'it is over, and nobody else was asked');
  await handle(
    said({ id: 'e5', type: 'sync.user.reconciliation.request', data: { userId: DELETED, service: 'accounting' } }),
  );
  t.deepEqual(await signals(), ['confirmed', 'reconcile']);
  const row = await db.inTenant(TENANT, (tx) => tx.user.findFirstOrThrow({ where: { id: DELETED } }));
  t.is(row.syncEndedAt, null, 'the service is asked again');
});

const POISON: [string, string, BusMessage][] = [
  ['of a service by the log-in of another', 'service_mismatch', { ...said(), publishedBy: 'portfolio' }],
  ['that is not JSON', 'malformed_event', { ...said(), payload: '{' }],
  ['without data', 'malformed_event', { ...said(), payload: '{}' }],
  ['of another topic', 'malformed_event', { ...said(), topic: 'sync.user.failed' }],
  [
    'about an id that is no user id',
    'malformed_event',
    said({ data: { userId: '42', service: 'accounting', userVersion: 1 } }),
  ],
  ['with a version of 0', 'malformed_event', said({ data: { userId: USER, service: 'accounting', userVersion: 0 } })],
  ['for every tenant', 'malformed_event', said({ tenantid: '*' })],
  ['of another tenant than its message', 'malformed_event', said({ tenantid: 'other' })],
  [
    'about an unknown user',
    'unknown_user',
    said({ data: { userId: USER.replace('0b', '1b'), service: 'accounting', userVersion: 1 } }),
  ],
  [
    "of a service that is not the user's",
    'unknown_service',
    said({ data: { userId: USER, service: 'portfolio', userVersion: 3 } }),
  ],
  [
    'of a version that was never published',
    'unknown_version',
    said({ data: { userId: USER, service: 'accounting', userVersion: 4 } }),
  ],
];
for (const [title, code, message] of POISON) {
  test(`an event ${title} is poison: ${code}`, async (t) => {
    const db = await setUp(t);
    await t.throwsAsync(syncConfirmations({ db, config }).handle(message), { instanceOf: PoisonError, code });
    t.deepEqual(await promised(db), []);
    t.is(await db.inTenant(TENANT, (tx) => tx.inboxMessage.count()), 0);
  });
}

test("confirmations that come together take effect in one go, but for those that can't", async (t) => {
  const { db, system } = await setUpBoth(t);
  const bus = createPostgresBus({
    pool: system.pool,
    park: parkInDeadLetters(system),
    partitions: 1,
    pollMs: 50,
    retryDelaysMs: [],
  });
  t.teardown(() => bus.close());
  const of = (userVersion: number) => ({ data: { userId: USER, service: 'accounting', userVersion } });
  const good = [
    said({ id: '1', ...of(1) }),
    said({ id: '2', ...of(2) }),
    { ...said({ id: '1', ...of(1) }), messageId: 'a copy' },
  ];
  await bus.publish([
    ...good,
    said({ id: '4', ...of(4) }),
    said({ id: '3', ...of(3) }),
    said({ id: '5', data: { userId: DELETED, service: 'portfolio', userVersion: 1 } }),
  ]);
  await bus.subscribe(syncConfirmations({ db, config }));
  await until(async () => (await db.inTenant(TENANT, (tx) => tx.inboxMessage.count())) === 4);
  t.deepEqual(
    (await promised(db)).map(({ signalArg }) => signalArg),
    [1, 2, 3].map((userVersion) => ({ service: 'accounting', userVersion })),
  );
  const { items } = await db.inTenant(TENANT, (tx) => listDeadLetters(tx, { limit: 10 }));
  t.deepEqual(
    items.map(({ messageId, cause }) => `${messageId} ${cause}`),
    ['m-4 unknown_version'],
  );
});

test('a parked confirmation takes effect when it is replayed after its cause is gone', async (t) => {
  const { db, system } = await setUpBoth(t);
  const bus = createPostgresBus({
    pool: system.pool,
    park: parkInDeadLetters(system),
    partitions: 2,
    pollMs: 50,
    retryDelaysMs: [],
  });
  t.teardown(() => bus.close());
  await bus.subscribe(syncConfirmations({ db, config }));
  await bus.publish([said({ data: { userId: USER, service: 'portfolio', userVersion: 3 } })]);
  const parked = () =>
    db.inTenant(TENANT, (tx) => listDeadLetters(tx, { source: SYNC_CONFIRMATIONS, status: 'parked', limit: 10 }));
  await until(async () => (await parked()).items.length > 0);
  const [letter] = (await parked()).items;
  t.is(letter?.cause, 'unknown_service');

  const { handle } = syncConfirmations({ db, config });
  const replayer = createReplayer({
    db,
    handlers: { [SYNC_CONFIRMATIONS]: (_, deadLetter) => handle(messageOf(deadLetter)) },
  });
  t.like(await replayer.replay(TENANT, letter!.id, 'boss'), { outcome: 'failed' });
  await db.inTenant(TENANT, (tx) =>
    tx.userSyncService.create({ data: { tenantId: TENANT, userId: USER, service: 'portfolio' } }),
  );
  t.like(await replayer.replay(TENANT, letter!.id, 'boss'), { outcome: 'replayed' });
  t.is((await promised(db)).length, 1);
});
