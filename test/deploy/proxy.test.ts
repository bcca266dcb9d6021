import { once } from 'node:events';
import { createServer, request, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import pTimeout from 'p-timeout';
import { SETTINGS } from '../../src/config/config.ts';
import { Problem, problemBody } from '../../src/api/http/problem.ts';
import type { ErrorCode } from '../../src/api/http/error-catalogue.ts';
import { HEARTBEAT_MS } from '../../src/realtime/event-feed.ts';
import { runApi, type TestApi } from '../support/api.ts';
import { openEventStream } from '../support/event-stream.ts';
import { fileScope } from '../support/file-scope.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { ask, type RawAnswer, type RawRequest } from './raw-request.ts';

const ID = /^[0-9a-f]{32}$/;
const scope = fileScope();
let world: World;
let api: TestApi;
let proxy: Proxy;
test.before(async () => {
  world = await createWorld(scope, { settings: { TRUST_PROXY_HOPS: '1', BUS_POLL_MS: '20' } });
  api = await runApi(world);
  proxy = await startProxy(scope, { port: portOf(api) });
});

const portOf = ({ url }: { url: string }): number => Number(new URL(url).port);
const through = (path: string, rest: Omit<RawRequest, 'path'> = {}) => ask(proxy.port, { path, ...rest });

/** In the place of an API: what it is asked, it tells. */
async function startUpstream(
  t: ExecutionContext,
  listener: RequestListener,
): Promise<{ port: number; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, server };
}

function assertProblem(t: ExecutionContext, answer: RawAnswer, code: ErrorCode): void {
  const id = String(answer.headers['x-request-id']);
  t.deepEqual(answer.body, problemBody(new Problem(code), id));
  t.regex(String(answer.headers['content-type']), /^application\/problem\+json/);
}

test('metrics do not pass, however their address is written, even where an API would serve them', async (t) => {
  const { port } = await startUpstream(t, (_request, response) => void response.end('metrics'));
  const former = await startProxy(t, { port });
  for (const path of [
    '/metrics',
    '/metrics/',
    '/metrics?x=1',
    '/METRICS',
    '/Metrics/',
    '/%6detrics',
    '/%6D%45trics',
    '/metrics%2f',
    '//metrics',
    '///metrics//',
    '/./metrics',
    '/docs/../metrics',
    '/docs/%2e%2e/metrics',
    '/metrics/x/..',
  ]) {
    const answer = await ask(former.port, { path });
    t.is(answer.status, 404, path);
    assertProblem(t, answer, 'not_found');
  }
  t.is((await ask(former.port, { path: '/users' })).text, 'metrics');
});

test('public pages have one spelling, and no way to write a path passes by a token', async (t) => {
  for (const path of ['/openapi.json', '/docs/', '/docs/errors', '/healthz', '/readyz'])
    t.is((await through(path)).status, 200, path);
  for (const path of ['/OPENAPI.json', '/openapi.json/', '/Docs/', '/DOCS/errors', '//openapi.json', '/HEALTHZ'])
    t.is((await through(path)).status, 404, path);
  for (const path of ['/users', '/users?x=/docs/', '/docs/../users', '/docs/%2e%2e/users', '//users', '/%75sers'])
    t.true([401, 404].includes((await through(path)).status), path);
});

test('an address is what the connection says, whatever a caller claims about itself', async (t) => {
  const narrow = await runApi({ ...world, scope: t }, { settings: { RATE_LIMIT_PER_MINUTE: '3' } });
  const { port } = await startProxy(t, { port: portOf(narrow) });
  const statuses: number[] = [];
  for (const claimed of ['1.2.3.1', '1.2.3.2, 1.2.3.3', '127.0.0.3', '1.2.3.4'])
    statuses.push(
      (
        await ask(port, {
          path: '/openapi.json',
          from: '127.0.0.2',
          headers: { 'X-Forwarded-For': claimed, 'X-Real-IP': claimed, Forwarded: `for=${claimed}` },
        })
      ).status,
    );
  t.deepEqual(statuses, [200, 200, 200, 429]);
  t.is((await ask(port, { path: '/openapi.json', from: '127.0.0.3' })).status, 200);
});

test('the API is told by the proxy alone who calls, how, and with which id', async (t) => {
  const { port } = await startUpstream(t, (asked, response) => void response.end(JSON.stringify(asked.headers)));
  const stub = await startProxy(t, { port });
  const claims = { 'X-Forwarded-For': '9.9.9.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example' };
  const { text } = await ask(stub.port, {
    path: '/',
    from: '127.0.0.5',
    headers: { ...claims, Forwarded: 'for=9.9.9.9', Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings' },
  });
  const seen: unknown = JSON.parse(text);
  t.like(seen, { 'x-forwarded-for': '127.0.0.5', 'x-forwarded-proto': 'http', host: `127.0.0.1:${stub.port}` });
  for (const name of ['x-forwarded-host', 'forwarded', 'upgrade']) t.false(text.includes(`"${name}"`), name);
});

test('an id that a caller gives is in the answer and in both logs; one that is malformed is replaced', async (t) => {
  const given = await through('/users?emailPrefix=secret', {
    headers: { 'X-Request-Id': 'order-7', Authorization: 'Bearer secret' },
  });
  t.like(given.body, { code: 'unauthenticated', instance: 'urn:request:order-7' });
  t.is(given.headers['x-request-id'], 'order-7');
  const bad = await through('/users', { headers: { 'X-Request-Id': '{"a": 1}' } });
  t.regex(String(bad.headers['x-request-id']), ID);
  t.like(bad.body, { instance: `urn:request:${String(bad.headers['x-request-id'])}` });
  await until(async () => (await proxy.log()).includes(' order-7\n'), { what: 'the line of the log' });
  t.notRegex(await proxy.log(), /secret/);
});

test('a body above the limit is refused with a problem, by the API or before it', async (t) => {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${await api.token('admin', 'boss')}` };
  const post = (kilobytes: number) =>
    through('/users', { method: 'POST', headers, body: `{"x":"${'x'.repeat(kilobytes * 1024)}"}` });
  for (const kilobytes of [150, 900, 1_100]) {
    const answer = await post(kilobytes);
    t.is(answer.status, 413, `${kilobytes} kB`);
    assertProblem(t, answer, 'body_too_large');
  }
  const oversized = await through('/users', { headers: { Cookie: 'x'.repeat(40_000) } });
  t.is(oversized.status, 400);
  assertProblem(t, oversized, 'bad_request');
});

test('events reach their reader as they happen', async (t) => {
  const service = { role: 'service', sub: 'shop' } as const;
  const order = {
    customerId: 'c',
    items: [{ sku: 'MUG-1', quantity: 1 }],
    currency: 'EUR',
    payment: { method: 'account' },
    shipTo: { name: 'Ada', street: 'Street 1', postalCode: '1', city: 'Paris', country: 'FR' },
  };
  const { body } = await api.ask('POST', '/orders', { ...service, json: order });
  const processId = String(body['id']);
  const stream = await openEventStream(`http://127.0.0.1:${proxy.port}/orders/${processId}/events`, {
    Authorization: `Bearer ${await api.token(service.role, service.sub)}`,
  });
  const next = () => pTimeout(stream.next(), { milliseconds: 20_000, message: 'the event stays in the proxy' });
  t.is((await next())?.id, '1');
  for (let happened = 0; happened < 2; happened += 1) {
    const sequence = await api.db.inTenant('default', async (tx) => {
      const state = await tx.processState.update({
        where: { tenantId_processId: { tenantId: 'default', processId } },
        data: { sequence: { increment: 1 } },
      });
      const event = { type: 'StepStarted', step: null, detail: {}, at: new Date() };
      await tx.processEvent.create({ data: { tenantId: 'default', processId, sequence: state.sequence, ...event } });
      return state.sequence;
    });
    let heard = await next();
    while (heard !== null && Number(heard.id) < sequence) heard = await next();
    t.is(heard?.id, String(sequence));
  }
  stream.leave();
});

test('whoever sends slowly holds no connection of the API, and not for long', async (t) => {
  const { port, server } = await startUpstream(t, (_request, response) => void response.end());
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const hurried = await startProxy(t, { port, isHurried: true });
  const cut = [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nslow',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ',
  ].map(async (start) => {
    const socket = connect(hurried.port, '127.0.0.1');
    t.teardown(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    socket.write(start);
    // A reset is an end, too; `once` would throw it.
    await new Promise((resolve) => socket.once('close', resolve));
  });
  await pTimeout(Promise.all(cut), { milliseconds: 30_000 });
  t.is(connections, 0);
});

test('while one node is away the other answers, and without any the answer says so', async (t) => {
  const half = await startProxy(t, { port: portOf(api), addresses: ['127.0.0.2', '127.0.0.1'] });
  for (let asked = 0; asked < 10; asked += 1) t.is((await ask(half.port, { path: '/healthz' })).status, 200);
  const none = await startProxy(t, { port: portOf(api), addresses: ['127.0.0.2'] });
  const answer = await ask(none.port, { path: '/users', method: 'POST', body: '{}' });
  t.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
  assertProblem(t, answer, 'api_unavailable');
});

test('a command that is not answered in time may still take effect, and the answer says so', async (t) => {
  let taken = 0;
  const { port } = await startUpstream(t, () => void (taken += 1));
  const hurried = await startProxy(t, { port, isHurried: true, addresses: ['127.0.0.1', '127.0.0.1'] });
  const answer = await ask(hurried.port, { path: '/users', method: 'POST', body: '{}' });
  t.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
  assertProblem(t, answer, 'command_timeout');
  t.is(taken, 1, 'a command is never sent twice');
});

test("the API's own problems pass as they are", async (t) => {
  const starting = await runApi({ ...world, scope: t }, { isDatabaseChecked: () => false });
  const { port } = await startProxy(t, { port: portOf(starting) });
  const answer = await ask(port, { path: '/users' });
  t.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
  assertProblem(t, answer, 'database_unavailable');
});

test('a flood from one address is refused to it alone, and probes never are', async (t) => {
  const many = (path: string, from: string) => Promise.all(Array.from({ length: 600 }, () => through(path, { from })));
  const answers = await many('/openapi.json', '127.0.0.9');
  const refused = answers.filter(({ status }) => status === 429);
  t.true(refused.length > 0 && refused.length < answers.length, String(refused.length));
  for (const answer of refused) {
    assertProblem(t, answer, 'rate_limited');
    t.is(answer.headers['retry-after'], '1');
  }
  t.is((await through('/openapi.json', { from: '127.0.0.10' })).status, 200);
  for (const path of ['/healthz', '/readyz'])
    t.true(
      (await many(path, '127.0.0.9')).every(({ status }) => status === 200),
      path,
    );
});

test('a socket passes once its handshake does', async (t) => {
  const { port, server } = await startUpstream(t, (_request, response) => void response.end());
  server.on('upgrade', (asked, socket) => {
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${asked.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`;
    socket.write(head);
    socket.pipe(socket);
  });
  const stub = await startProxy(t, { port });
  const headers = { Upgrade: 'WebSocket', Connection: 'Upgrade' };
  const asked = request({ host: '127.0.0.1', port: stub.port, path: '/socket', headers }).end();
  const [answer, socket] = await once(asked, 'upgrade');
  t.teardown(() => void socket.destroy());
  t.is(answer.statusCode, 101);
  socket.write('ping');
  t.is(String((await once(socket, 'data'))[0]), 'ping');
});

test('nothing is said of versions, and no other origin may read an answer', async (t) => {
  for (const path of ['/healthz', '/metrics', '/openapi.json', '/users']) {
    const { headers } = await through(path, { headers: { Origin: 'https://evil.example' } });
    t.is(headers.server, 'nginx', path);
    t.false('x-powered-by' in headers, path);
    t.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control-')),
      [],
      path,
    );
  }
  const preflight = await through('/users', {
    method: 'OPTIONS',
    headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
  });
  t.is(preflight.status, 405);
});

test('the proxy waits longer than the API does for a command, and than a stream is silent', async (t) => {
  const waitS = Number(/proxy_read_timeout (\d+)s;/.exec(proxy.config)?.[1]);
  const [, schema] = SETTINGS.COMMAND_TIMEOUT_MS;
  t.true(schema.safeParse('60000').success);
  t.false(schema.safeParse(String(waitS * 1_000 - 10_000)).success);
  t.true(waitS * 1_000 >= 3 * HEARTBEAT_MS);
});
