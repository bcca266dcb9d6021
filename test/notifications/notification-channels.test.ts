import test from 'ava';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const admin = { role: 'admin', sub: 'boss' } as const;

const register = (json: object) => api.ask('POST', '/users', { ...admin, json: { email: 'ada@example.com', ...json } });

test('a user is notified by e-mail unless it chose otherwise', async (t) => {
  const byDefault = await register({ authSubject: 'auth0|default' });
  t.is(byDefault.status, 201);
  t.deepEqual(byDefault.body['notificationChannels'], ['email']);
  const chosen = await register({
    authSubject: 'auth0|both',
    phone: '+33 1 23 45',
    notificationChannels: ['sms', 'email'],
  });
  t.deepEqual(chosen.body['notificationChannels'], ['sms', 'email']);
});

test('a change of the channels leaves the version and tells no service', async (t) => {
  const {
    body: { id },
  } = await register({ authSubject: 'auth0|change', phone: '+33 1 23 45' });
  const changed = await api.ask('PATCH', `/users/${String(id)}`, { ...admin, json: { notificationChannels: ['sms'] } });
  t.like(changed.body, { notificationChannels: ['sms'], version: 1 });
  t.deepEqual((await api.ask('GET', `/users/${String(id)}`, admin)).body['notificationChannels'], ['sms']);
  t.is(
    await api.system.acrossTenants((tx) =>
      tx.pendingStart.count({ where: { workflowId: `user-sync:${String(id)}`, kind: 'signal_with_start' } }),
    ),
    0,
  );
});

test('sms without a telephone number is refused, whichever of the two is changed', async (t) => {
  t.like(await register({ authSubject: 'auth0|none', notificationChannels: ['sms'] }), {
    status: 400,
    body: { code: 'phone_required' },
  });
  const {
    body: { id },
  } = await register({ authSubject: 'auth0|phone' });
  const path = `/users/${String(id)}`;
  const change = (json: object) => api.ask('PATCH', path, { ...admin, json });
  t.like(await change({ notificationChannels: ['email', 'sms'], name: 'Eve' }), {
    status: 400,
    body: { code: 'phone_required' },
  });
  t.like((await api.ask('GET', path, admin)).body, { name: null, notificationChannels: ['email'] });
  t.is((await change({ notificationChannels: ['sms'], phone: '+33 1 23 45' })).status, 200);
  t.like(await change({ phone: null }), { status: 400, body: { code: 'phone_required' } });
  t.like((await change({ phone: null, notificationChannels: ['email'] })).body, { phone: null, version: 3 });
});

test('channels that we do not have, none, or one twice are refused', async (t) => {
  for (const notificationChannels of [[], ['pigeon'], ['email', 'email'], 'email', null]) {
    t.like(await register({ authSubject: 'auth0|bad', phone: '+33 1 23 45', notificationChannels }), {
      status: 400,
      body: { code: 'validation_failed' },
    });
  }
});
