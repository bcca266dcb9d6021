import test from 'ava';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope, { settings: { BODY_LIMIT_KB: '2' } });
});
const admin = { role: 'admin' } as const;

test("bodies that can't be read are refused, each with its code", async (t) => {
  const type = (value: string) => ({ 'Content-Type': value });
  const cases: [status: number, code: string, raw: string | Buffer, headers?: Record<string, string>][] = [
    [400, 'malformed_json', '{"a":'],
    [400, 'malformed_json', '"text"'],
    [400, 'malformed_json', Buffer.from([0x7b, 0xff, 0x7d])],
    [400, 'validation_failed', '[]'],
    [400, 'validation_failed', '{"__proto__":{"email":"a@example.com"}}'],
    [413, 'body_too_large', JSON.stringify({ name: 'x'.repeat(3_000) })],
    [415, 'unsupported_media_type', 'a=1', type('application/x-www-form-urlencoded')],
    [415, 'unsupported_media_type', '{}', type('text/plain')],
    [415, 'unsupported_media_type', '{}', type('application/json; charset=latin1')],
    [415, 'unsupported_media_type', '{}', { 'Content-Encoding': 'zstd-of-my-own' }],
    [400, 'bad_request', '{}', { 'Content-Encoding': 'gzip' }],
  ];
  for (const [status, code, raw, headers] of cases) {
    const answer = await api.ask('POST', '/users', { ...admin, raw, ...(headers === undefined ? {} : { headers }) });
    t.deepEqual([answer.status, answer.body['code']], [status, code], String(raw).slice(0, 50));
  }
  t.is((await api.ask('POST', '/users', admin)).body['code'], 'validation_failed', 'no body at all');
});

test('a body nested as deeply as it may be long is an ordinary mistake', async (t) => {
  const { status } = await api.ask('POST', '/users', {
    ...admin,
    raw: `{"name":${'['.repeat(900)}${']'.repeat(900)}}`,
  });
  t.is(status, 400);
});

test("ids that are none, or hold what can't be stored, are refused before they reach the database", async (t) => {
  for (const path of [
    '/users/42',
    '/users/x%00y',
    '/users/%F0',
    '/dead-letters/42',
    '/users/state-management/bulk/42',
    '/operations/42',
  ]) {
    t.is((await api.ask('GET', path, admin)).status, 400, path);
  }
  t.is((await api.ask('GET', '/users/11111111-1111-1111-1111-111111111111', admin)).status, 404);
  t.is((await api.ask('GET', '/alerts?kind=%00', admin)).status, 400);
});

test('what is not there is a problem too', async (t) => {
  const { status, body, headers } = await api.ask('GET', '/nowhere', admin);
  t.is(status, 404);
  t.is(headers.get('Content-Type'), 'application/problem+json');
  t.like(body, { code: 'not_found', status: 404, type: '/docs/errors#not_found' });
});

test('a sane request id is taken over and echoed, another one replaced', async (t) => {
  const given = await api.ask('GET', '/users/42', { ...admin, headers: { 'X-Request-Id': 'req-1.A:b' } });
  t.is(given.headers.get('X-Request-Id'), 'req-1.A:b');
  t.is(given.body['instance'], 'urn:request:req-1.A:b');
  for (const bad of ['a b', 'x'.repeat(129), '<script>']) {
    const { headers } = await api.ask('GET', '/users/42', { ...admin, headers: { 'X-Request-Id': bad } });
    t.regex(headers.get('X-Request-Id') ?? '', /^[0-9a-f-]{36}$/);
  }
});

test('security headers are set, and nothing tells what we run on', async (t) => {
  const { headers } = await api.ask('GET', '/users', admin);
  t.is(headers.get('X-Powered-By'), null);
  t.is(headers.get('X-Content-Type-Options'), 'nosniff');
  t.regex(headers.get('Content-Security-Policy') ?? '', /default-src 'self'/);
  t.notRegex(headers.get('Content-Security-Policy') ?? '', /upgrade-insecure-requests/);
});

test('requests are limited for each caller, and health is not', async (t) => {
  const limited = await startApi(t, { settings: { RATE_LIMIT_PER_MINUTE: '3' } });
  const statuses: number[] = [];
  for (let index = 0; index < 4; index += 1)
    statuses.push((await limited.ask('GET', '/users', { role: 'admin', sub: 'busy' })).status);
  t.deepEqual(statuses, [200, 200, 200, 429]);
  const { body, headers } = await limited.ask('GET', '/users', { role: 'admin', sub: 'busy' });
  t.is(body['code'], 'rate_limited');
  t.true(Number(headers.get('Retry-After')) > 0);
  t.truthy(headers.get('RateLimit'));
  t.is((await limited.ask('GET', '/users', { role: 'admin', sub: 'calm' })).status, 200);
  for (let index = 0; index < 5; index += 1) t.is((await fetch(`${limited.url}/healthz`)).status, 200);
});
