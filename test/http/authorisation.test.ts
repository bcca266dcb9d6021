import test from 'ava';
import { z } from 'zod';
import { ROLES, type Role } from '../../src/auth/roles.ts';
import { ALL_SCOPES } from '../../src/auth/scopes.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});

const NOBODY = '11111111-1111-1111-1111-111111111111';

async function register(sub: string, tenant = 'default'): Promise<string> {
  const { body } = await api.ask('POST', '/users', {
    role: 'service',
    tenant,
    json: { authSubject: sub, email: `${encodeURIComponent(sub)}@example.com` },
  });
  return String(body['id']);
}

async function setStatus(id: string, status: 'inactive' | 'suspended' | 'active'): Promise<void> {
  await api.db.inTenant('default', (tx) =>
    tx.user.update({ where: { tenantId_id: { tenantId: 'default', id } }, data: { status } }),
  );
}

for (const { spec } of ROUTES) {
  const path = spec.path.replace(':name', 'cleanup').replace(/:\w+/, NOBODY);
  const method = spec.method.toUpperCase();

  test(`${method} ${spec.path} asks for a token`, async (t) => {
    const { status, body, headers } = await api.ask(method, path);
    t.is(status, 401);
    t.is(body['code'], 'unauthenticated');
    t.is(headers.get('WWW-Authenticate'), 'Bearer');
  });

  test(`${method} ${spec.path} is for ${spec.roles.join(', ')} only`, async (t) => {
    for (const role of ROLES) {
      const { body } = await api.ask(method, path, {
        role,
        sub: 'matrix',
        ...(spec.body === undefined ? {} : { json: {} }),
      });
      if (spec.roles.includes(role)) t.not(body['code'], 'forbidden', role);
      else t.is(body['code'], 'forbidden', role);
    }
  });

  const { scope: needed } = spec;
  if (needed === undefined) continue;
  test(`${method} ${spec.path} lets a service in with the scope ${needed} alone`, async (t) => {
    const askWith = (scopes: typeof ALL_SCOPES) =>
      api.ask(method, path, { role: 'service', as: { scopes }, ...(spec.body === undefined ? {} : { json: {} }) });
    for (const scopes of [[], ALL_SCOPES.filter((each) => each !== needed)]) {
      const { status, body, headers } = await askWith(scopes);
      t.like({ status, body }, { status: 403, body: { code: 'insufficient_scope' } });
      t.is(headers.get('WWW-Authenticate'), `Bearer error="insufficient_scope", scope="${needed}"`);
    }
    t.not((await askWith([needed])).body['code'], 'insufficient_scope');
  });
}

test('a token of another key, issuer, audience or role, or a stale one, is not valid', async (t) => {
  const other = await startApi(t, { settings: { JWT_ISSUER: 'elsewhere' } });
  const valid = await api.token('admin', 'boss');
  const [head = '', claims = '', signature = ''] = valid.split('.');
  const forged = Buffer.from(
    JSON.stringify({
      ...z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(claims, 'base64url').toString())),
      sub: 'else',
    }),
  ).toString('base64url');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
  for (const token of [await other.token('admin', 'boss'), `${head}.${forged}.${signature}`, unsigned, 'nonsense']) {
    const { status, body } = await api.ask('GET', '/users', { headers: { Authorization: `Bearer ${token}` } });
    t.is(status, 401);
    t.is(body['code'], 'unauthenticated');
  }
});

test('a token that says too little of its bearer is refused with a code of its own', async (t) => {
  const tokens = {
    tenant: await api.token('admin', 'boss', '*'),
    service: await api.token('service', 'machines', 'default', '1h', { service: '' }),
  };
  for (const [claim, token] of Object.entries(tokens)) {
    const { status, body, headers } = await api.ask('GET', '/users', { headers: { Authorization: `Bearer ${token}` } });
    t.like({ status, body }, { status: 401, body: { code: 'unusable_claims' } });
    t.true(String(body['detail']).includes(`"${claim}"`));
    t.is(headers.get('WWW-Authenticate'), 'Bearer');
  }
});

test('a service confirms and fails for itself alone, whatever was answered to another one before', async (t) => {
  const userId = await register('auth0|confirmed');
  for (const name of ['mark-service-synced', 'mark-service-failed']) {
    const path = `/users/state-management/${userId}/sync/${name}`;
    const ask = (service: string) =>
      api.ask('POST', path, {
        role: 'service',
        sub: 'machines',
        as: { service },
        json: { service: 'accounting' },
        headers: { 'Idempotency-Key': name },
      });
    t.is((await ask('accounting')).body['code'], 'temporal_unavailable', 'its own reaches the workflow');
    t.like(await ask('portfolio'), { status: 403, body: { code: 'service_mismatch' } });
    t.is((await api.ask('POST', path, { role: 'admin', json: { service: 'accounting' } })).status, 503);
  }
});

test("a user reaches its own user and nobody else's", async (t) => {
  const [own, another] = await Promise.all([register('auth0|own'), register('auth0|another')]);
  const as = { role: 'user', sub: 'auth0|own' } as const satisfies { role: Role; sub: string };
  t.is((await api.ask('GET', `/users/${own}`, as)).status, 200);
  t.is((await api.ask('GET', `/users/${own}/notifications`, as)).status, 200);
  t.is((await api.ask('PATCH', `/users/${own}`, { ...as, json: { name: 'Own' } })).status, 200);
  for (const [method, path, json] of [
    ['GET', `/users/${another}`, undefined],
    ['PATCH', `/users/${another}`, { name: 'Mine' }],
    ['DELETE', `/users/${another}`, undefined],
    ['GET', `/users/${another}/notifications`, undefined],
    ['POST', `/users/state-management/${another}/profile/mark-in-progress`, undefined],
  ] as const) {
    const { status, body } = await api.ask(method, path, { ...as, ...(json === undefined ? {} : { json }) });
    t.is(status, 404, path);
    t.is(body['code'], 'user_not_found');
  }
  t.is(
    (await api.ask('POST', '/users', { ...as, json: { authSubject: 'auth0|third', email: 'third@example.com' } }))
      .status,
    403,
  );
});

test('inactive and suspended users may read themselves and nothing else', async (t) => {
  const id = await register('auth0|barred');
  const as = { role: 'user', sub: 'auth0|barred' } as const satisfies { role: Role; sub: string };
  for (const status of ['inactive', 'suspended'] as const) {
    await setStatus(id, status);
    t.is((await api.ask('GET', `/users/${id}`, as)).status, 200);
    t.is(
      (await api.ask('POST', '/users', { ...as, json: { authSubject: 'auth0|barred', email: 'b@example.com' } }))
        .status,
      200,
    );
    for (const [method, path] of [
      ['PATCH', `/users/${id}`],
      ['DELETE', `/users/${id}`],
      ['GET', `/users/${id}/notifications`],
      ['POST', `/users/state-management/${id}/profile/mark-in-progress`],
    ] as const) {
      const answer = await api.ask(method, path, { ...as, ...(method === 'PATCH' ? { json: { name: 'B' } } : {}) });
      t.is(answer.status, 403, `${method} ${path}`);
      t.is(answer.body['code'], 'account_inactive');
    }
  }
});

test('tenants see nothing of each other', async (t) => {
  const [here, there] = await Promise.all([register('auth0|same', 'here'), register('auth0|same', 'there')]);
  t.not(here, there);
  for (const role of ['admin', 'operator', 'service'] as const) {
    t.is((await api.ask('GET', `/users/${there}`, { role, tenant: 'here' })).status, 404);
    const { body } = await api.ask('GET', '/users', { role, tenant: 'here' });
    t.like(body, { items: { length: 1, 0: { id: here } } });
  }
  t.is(
    (await api.ask('PATCH', `/users/${there}`, { role: 'admin', tenant: 'here', json: { name: 'Mine' } })).status,
    404,
  );
  t.is((await api.ask('DELETE', `/users/${there}`, { role: 'admin', tenant: 'here' })).status, 404);
  t.like((await api.ask('GET', '/users/state-management/sync/stats', { role: 'admin', tenant: 'here' })).body, {
    pending: 1,
    total: 1,
  });
});
