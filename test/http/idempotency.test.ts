import { randomUUID } from 'node:crypto';
import test from 'ava';
import { beginIdempotent, finishIdempotent, releaseIdempotent } from '../../src/db/http/idempotency-keys.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const json = (name: string) => ({ authSubject: name, email: `${name}@example.com` });
const service = { role: 'service', sub: 'crm' } as const;
const key = (value: string) => ({ headers: { 'Idempotency-Key': value } });
const records = (value: string) =>
  api.db.inTenant('default', (tx) => tx.idempotencyKey.findMany({ where: { key: value } }));

test('the same key with the same body answers what was answered first', async (t) => {
  const first = await api.ask('POST', '/users', { ...service, json: json('same'), ...key('k-same') });
  const second = await api.ask('POST', '/users', { ...service, json: json('same'), ...key('k-same') });
  t.deepEqual([first.status, second.status], [201, 201]);
  t.deepEqual(second.body, first.body);
  t.is(second.headers.get('Idempotency-Replayed'), 'true');
  t.is(second.headers.get('Location'), first.headers.get('Location'));
  t.regex(second.headers.get('Location') ?? '', /^\/users\//);
});

test('the same key with another body is refused', async (t) => {
  await api.ask('POST', '/users', { ...service, json: json('reused'), ...key('k-reused') });
  const { status, body } = await api.ask('POST', '/users', { ...service, json: json('reused-2'), ...key('k-reused') });
  t.is(status, 422);
  t.is(body['code'], 'idempotency_key_reused');
});

test('a key means something only to its subject, and in its tenant', async (t) => {
  await api.ask('POST', '/users', { ...service, json: json('scoped'), ...key('k-scoped') });
  const other = await api.ask('POST', '/users', {
    role: 'admin',
    sub: 'boss',
    json: json('scoped-2'),
    ...key('k-scoped'),
  });
  const elsewhere = await api.ask('POST', '/users', {
    ...service,
    tenant: 'elsewhere',
    json: json('scoped-3'),
    ...key('k-scoped'),
  });
  t.deepEqual([other.status, elsewhere.status], [201, 201]);
});

test('of requests with one key at once one is carried out; the others are told so, or answered the same', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      api.ask('POST', '/users', { ...service, json: json('parallel'), ...key('k-parallel') }),
    ),
  );
  for (const { status, body, headers } of answers) {
    if (status === 201) continue;
    t.is(status, 409);
    t.is(body['code'], 'idempotency_in_progress');
    t.is(headers.get('Retry-After'), '1');
  }
  t.is(
    answers.filter(({ status, headers }) => status === 201 && headers.get('Idempotency-Replayed') === null).length,
    1,
  );
});

test('a key whose holder died is free once its lock lapsed', async (t) => {
  await api.ask('POST', '/users', { ...service, json: json('died'), ...key('k-died') });
  const lapse = (lockedUntil: Date) =>
    api.db.inTenant('default', (tx) =>
      tx.idempotencyKey.updateMany({ where: { key: 'k-died' }, data: { status: null, body: null, lockedUntil } }),
    );
  await lapse(new Date(Date.now() + 60_000));
  t.is((await api.ask('POST', '/users', { ...service, json: json('died'), ...key('k-died') })).status, 409);
  await lapse(new Date(Date.now() - 1));
  t.is(
    (await api.ask('POST', '/users', { ...service, json: json('died'), ...key('k-died') })).status,
    200,
    'carried out again',
  );
});

test('a holder whose lock lapsed can neither answer for the later one nor give its key back', async (t) => {
  const claim = { tenantId: 'default', scope: 'scope', key: 'k-fence', fingerprint: 'f', lockMs: -1, keepHours: 24 };
  const [lapsed, later] = [
    { ...claim, token: randomUUID() },
    { ...claim, token: randomUUID(), lockMs: 60_000 },
  ];
  const { pool } = api.db;
  t.like(await beginIdempotent(pool, lapsed), { kind: 'begun' });
  t.like(await beginIdempotent(pool, later), { kind: 'begun' });
  await finishIdempotent(pool, lapsed, { status: 200, body: '"lapsed"' });
  await releaseIdempotent(pool, lapsed);
  t.like(await beginIdempotent(pool, { ...claim, token: randomUUID() }), { kind: 'in_progress' });
  await finishIdempotent(pool, later, { status: 200, body: '"later"' });
  t.like(await beginIdempotent(pool, { ...claim, token: randomUUID() }), { kind: 'answered', body: '"later"' });
});

test('an answer is forgotten after IDEMPOTENCY_KEY_HOURS', async (t) => {
  await api.ask('POST', '/users', { ...service, json: json('old'), ...key('k-old') });
  await api.db.inTenant('default', (tx) =>
    tx.idempotencyKey.updateMany({
      where: { key: 'k-old' },
      data: { createdAt: new Date(Date.now() - 25 * 3_600_000) },
    }),
  );
  t.is(
    (await api.ask('POST', '/users', { ...service, json: json('anew'), ...key('k-old') })).status,
    201,
    'also with another body',
  );
});

test('refusals are kept, as problems; answers of 5xx are not', async (t) => {
  const missing = '/dead-letters/11111111-1111-1111-1111-111111111111/replay';
  const ask = { role: 'operator', ...key('k-refused') } as const;
  const [first, second] = [await api.ask('POST', missing, ask), await api.ask('POST', missing, ask)];
  t.is(first.status, 404);
  t.deepEqual(second.body, first.body);
  t.is(second.headers.get('Content-Type'), 'application/problem+json');
  t.is(
    (await api.ask('POST', '/maintenance/audits/cleanup/run', { role: 'installation_operator', ...key('k-5xx') }))
      .status,
    503,
  );
  t.deepEqual(await records('k-5xx'), []);
});

test('a key that is no key is refused', async (t) => {
  for (const value of ['with space', 'x'.repeat(256)]) {
    const { status, body } = await api.ask('POST', '/users', { ...service, json: json('nokey'), ...key(value) });
    t.is(status, 400);
    t.like(body, { errors: [{ field: 'headers.Idempotency-Key' }] });
  }
});

test('the order of the members of a body is not part of what a key is bound to', async (t) => {
  const body = { ...json('members'), name: 'Ada' };
  const reversed = Object.fromEntries(Object.entries(body).toReversed());
  const first = await api.ask('POST', '/users', { ...service, json: body, ...key('k-members') });
  const second = await api.ask('POST', '/users', { ...service, json: reversed, ...key('k-members') });
  t.deepEqual([second.status, second.headers.get('Idempotency-Replayed')], [201, 'true']);
  t.deepEqual(second.body, first.body);
});
