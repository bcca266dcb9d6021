import test from 'ava';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});

test("registration answers 201 with the seed's fields, and 200 with the same user afterwards", async (t) => {
  const json = { authSubject: 'auth0|ada', email: 'Ada@Example.com', name: 'Ada' };
  const before = Date.now();
  const first = await api.ask('POST', '/users', { role: 'user', sub: 'auth0|ada', json });
  t.is(first.status, 201);
  t.like(first.body, {
    authSubject: 'auth0|ada',
    email: 'ada@example.com',
    name: 'Ada',
    locale: 'fr',
    phone: null,
    version: 1,
    status: 'pending_profile',
    profileCompletionStatus: 'not_started',
    profileCompletionReminders: 0,
    profileCompletedAt: null,
    syncStatus: 'pending',
    syncRetryCount: 0,
    lastSyncAttempt: null,
    syncMetadata: {
      servicesToSync: ['accounting', 'gestion_commerciale', 'portfolio'],
      syncedServices: [],
      failedServices: [],
      lastSuccessfulSync: {},
    },
  });
  const deadline = Date.parse(String(first.body['profileCompletionDeadline']));
  t.true(deadline >= before + 7 * 86_400_000 && deadline <= Date.now() + 7 * 86_400_000);
  const second = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'auth0|ada',
    json: { ...json, email: 'other@example.com' },
  });
  t.is(second.status, 200);
  t.deepEqual(second.body, first.body);
});

test('twenty registrations of one identity at once make one user', async (t) => {
  const json = { authSubject: 'auth0|race', email: 'race@example.com' };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.ask('POST', '/users', { role: 'service', sub: 'crm', json })),
  );
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  t.is(answers.filter(({ status }) => status === 200).length, 19);
  t.is(new Set(answers.map(({ body }) => body['id'])).size, 1);
  const promised = await api.db.inTenant('default', (tx) =>
    tx.pendingStart.findMany({ where: { workflowId: { endsWith: String(answers[0]?.body['id']) } } }),
  );
  t.deepEqual(promised.map(({ kind, workflowType }) => `${kind} ${workflowType}`).toSorted(), [
    'start profile',
    'start userSync',
  ]);
});

test("registration takes the user's own list of services", async (t) => {
  const json = {
    authSubject: 'auth0|own-services',
    email: 'own@example.com',
    servicesToSync: ['portfolio', 'billing'],
  };
  const { status, body } = await api.ask('POST', '/users', { role: 'admin', json });
  t.is(status, 201);
  t.like(body, { syncMetadata: { servicesToSync: ['billing', 'portfolio'] } });
  const row = await api.db.inTenant('default', (tx) =>
    tx.user.findFirstOrThrow({ where: { authSubject: 'auth0|own-services' } }),
  );
  t.false(row.defaultServices);
});

test('a user that registers itself does not choose its services', async (t) => {
  const json = { authSubject: 'auth0|chooser', email: 'chooser@example.com', servicesToSync: ['nobody'] };
  const asked = await api.ask('POST', '/users', { role: 'user', sub: json.authSubject, json });
  t.is(asked.status, 403);
  t.is(asked.body.code, 'forbidden');
  const { servicesToSync: _, ...plain } = json;
  const { status, body } = await api.ask('POST', '/users', { role: 'user', sub: json.authSubject, json: plain });
  t.is(status, 201);
  t.like(body, { syncMetadata: { servicesToSync: ['accounting', 'gestion_commerciale', 'portfolio'] } });
});

test('a repeated registration answers the user as it is now', async (t) => {
  const json = { authSubject: 'auth0|again', email: 'again@example.com' };
  const {
    body: { id },
  } = await api.ask('POST', '/users', { role: 'admin', json });
  const confirmed = { confirmedVersion: 1, lastSuccessfulSync: new Date('2026-01-02T03:04:05.678Z') };
  await api.db.inTenant('default', (tx) =>
    tx.userSyncService.updateMany({ where: { userId: String(id), service: 'accounting' }, data: confirmed }),
  );
  const { status, body } = await api.ask('POST', '/users', { role: 'admin', json });
  t.is(status, 200);
  t.like(body, {
    syncMetadata: { syncedServices: ['accounting'], lastSuccessfulSync: { accounting: '2026-01-02T03:04:05.678Z' } },
  });
  t.deepEqual(body, (await api.ask('GET', `/users/${String(id)}`, { role: 'admin' })).body);
});

test("registration refuses what it can't take, and names the field", async (t) => {
  const refused: [field: string, json: object][] = [
    ['body.email', { authSubject: 'a', email: 'nobody' }],
    ['body.authSubject', { email: 'a@example.com' }],
    ['body.authSubject', { authSubject: 'deleted:1', email: 'a@example.com' }],
    ['body.servicesToSync[0]', { authSubject: 'a', email: 'a@example.com', servicesToSync: ['Not A Name'] }],
    ['body.servicesToSync', { authSubject: 'a', email: 'a@example.com', servicesToSync: ['crm', 'crm'] }],
    ['body', { authSubject: 'a', email: 'a@example.com', rank: 1 }],
    ['body.name', { authSubject: 'a', email: 'a@example.com', name: 'A\0da' }],
    ['body.name', { authSubject: 'a', email: 'a@example.com', name: 'A\ud800' }],
  ];
  for (const [field, json] of refused) {
    const { status, body } = await api.ask('POST', '/users', { role: 'admin', json });
    t.is(status, 400, field);
    t.like(body, { code: 'validation_failed', errors: [{ field }] });
  }
});

test('registration answers 201 while Temporal is away, and wakes the relay', async (t) => {
  const wakes = api.wakes();
  const { status } = await api.ask('POST', '/users', {
    role: 'admin',
    json: { authSubject: 'auth0|temporal-away', email: 'away@example.com' },
  });
  t.is(status, 201);
  t.true(api.wakes() > wakes);
});

test('registering again after a deletion gives no new deadline, and a completed profile leaves none', async (t) => {
  const json = { authSubject: 'auth0|returning', email: 'returning@example.com' };
  const as = { role: 'user', sub: 'auth0|returning' } as const;
  const admin = { role: 'admin', sub: 'boss' } as const;
  const register = async () => (await api.ask('POST', '/users', { ...as, json })).body;
  const remove = async (id: unknown) => (await api.ask('DELETE', `/users/${String(id)}`, admin)).status;
  const first = await register();
  t.is(await remove(first['id']), 204);
  const second = await register();
  t.not(second['id'], first['id']);
  t.is(second['profileCompletionDeadline'], first['profileCompletionDeadline']);
  const other = { ...json, authSubject: 'auth0|another', email: 'another@example.com' };
  t.not(
    (await api.ask('POST', '/users', { ...admin, json: other })).body['profileCompletionDeadline'],
    first['profileCompletionDeadline'],
  );
  await api.db.inTenant('default', (tx) =>
    tx.user.updateMany({ where: { id: String(second['id']) }, data: { profileCompletionDeadline: null } }),
  );
  await remove(second['id']);
  const third = await register();
  t.true(String(third['profileCompletionDeadline']) > String(first['profileCompletionDeadline']));
  const kept = await api.db.inTenant('default', (tx) => tx.formerUser.findMany());
  t.false(JSON.stringify(kept).includes('returning'), 'the subject is not kept');
});

test('an identity that deletes five users within a day is told when it may register again', async (t) => {
  const as = { role: 'user', sub: 'auth0|restless' } as const;
  const json = { authSubject: 'auth0|restless', email: 'restless@example.com' };
  for (let n = 0; n < 5; n += 1) {
    const { status, body } = await api.ask('POST', '/users', { ...as, json });
    t.is(status, 201);
    t.is((await api.ask('POST', '/users', { ...as, json })).status, 200, 'who is registered may say so again');
    t.is((await api.ask('DELETE', `/users/${String(body['id'])}`, as)).status, 204);
  }
  const key = { 'Idempotency-Key': 'restless' };
  const refused = await api.ask('POST', '/users', { ...as, json, headers: key });
  t.is(refused.status, 429);
  t.like(refused.body, { code: 'registered_too_often', retryable: true });
  const seconds = Number(refused.headers.get('Retry-After'));
  t.true(seconds > 86_000 && seconds <= 86_400, String(seconds));
  t.is((await api.ask('POST', '/users', { role: 'service', sub: 'crm', json })).status, 429, 'whoever asks');
  await api.db.inTenant('default', (tx) =>
    tx.formerUser.updateMany({ where: { deletions: 5 }, data: { countedSince: new Date(Date.now() - 86_400_001) } }),
  );
  t.is((await api.ask('POST', '/users', { ...as, json, headers: key })).status, 201);
});
