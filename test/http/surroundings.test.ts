import { readFileSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { runApi, startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { untilIs } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

const scope = fileScope();
let world: World;
let api: TestApi;
test.before(async () => {
  world = await createWorld(scope);
  api = await runApi(world);
});
const get = (path: string) => fetch(`${api.url}${path}`);

test('health and readiness tell what is up', async (t) => {
  t.deepEqual(await (await get('/healthz')).json(), { status: 'ok' });
  // A busy machine may answer the first probe too late.
  await untilIs(async () => (await get('/readyz')).json(), {
    status: 'ready',
    postgres: 'up',
    temporal: 'up',
    bus: 'up',
  });
  t.is((await get('/readyz')).status, 200);
});

test('without Temporal the API is ready, and says so', async (t) => {
  const alone = await startApi(t);
  const ready = await fetch(`${alone.url}/readyz`);
  t.is(ready.status, 200);
  t.deepEqual(await ready.json(), { status: 'ready', postgres: 'up', temporal: 'down', bus: 'up' });
});

test('metrics count and time requests by route, never by address', async (t) => {
  await api.ask('GET', '/users/11111111-1111-1111-1111-111111111111', { role: 'admin' });
  await api.ask('GET', '/nowhere-at-all');
  const text = await api.metricsText();
  t.regex(text, /http_requests_total\{method="GET",route="\/users\/:id",status="404"\} 1/);
  t.regex(text, /http_request_duration_seconds_count\{method="GET",route="\/users\/:id",status="404"\} 1/);
  t.regex(text, /http_requests_total\{method="GET",route="none",status="404"\} 1/);
  t.notRegex(text, /11111111|nowhere/);
});

test("/openapi.json is the committed document, and every problem's type leads to its explanation", async (t) => {
  const served: unknown = await (await get('/openapi.json')).json();
  t.deepEqual(served, JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')));
  const document = z
    .object({
      openapi: z.literal('3.1.0'),
      components: z.object({ examples: z.record(z.string(), z.object({ value: z.object({ type: z.string() }) })) }),
    })
    .parse(served);
  const page = await (await get('/docs/errors')).text();
  const examples = Object.entries(document.components.examples);
  t.true(examples.length > 20);
  for (const [code, { value }] of examples) {
    t.is(value.type, `/docs/errors#${code}`);
    t.true(page.includes(`id="${code}"`), code);
  }
});

test('/openapi.json is sent to those who do not have it yet, and public pages are limited by address', async (t) => {
  const first = await get('/openapi.json');
  const tag = first.headers.get('ETag') ?? '';
  const again = await fetch(`${api.url}/openapi.json`, { headers: { 'If-None-Match': tag } });
  t.deepEqual([first.status, again.status, await again.text()], [200, 304, '']);
  const narrow = await runApi({ ...world, scope: t }, { settings: { RATE_LIMIT_PER_MINUTE: '3' } });
  for (const path of ['/openapi.json', '/docs/errors', '/docs/'])
    t.is((await fetch(`${narrow.url}${path}`)).status, 200);
  t.is((await fetch(`${narrow.url}/openapi.json`)).status, 429);
  t.is((await fetch(`${narrow.url}/healthz`)).status, 200);
});

test('metrics are nowhere on the port of the callers, however the address is written', async (t) => {
  const other = await runApi({ ...world, scope: t });
  for (const path of ['/metrics', '/metrics/', '/METRICS', '/%6detrics', '//metrics', '/metrics?x=1'])
    t.like(await other.ask('GET', path, { role: 'admin' }), { status: 404, body: { code: 'not_found' } }, path);
});

test('a flood of probes costs PostgreSQL a look a second at most, up or away, however it is asked', async (t) => {
  for (const isUp of [true, false]) {
    let pings = 0;
    const ping = async (): Promise<void> => {
      pings += 1;
      if (!isUp) throw new Error('away');
    };
    const settings = { RATE_LIMIT_PER_MINUTE: '3' };
    const counted = await runApi({ ...world, scope: t, db: { ...api.db, ping } }, { settings });
    const probe = async ([method, path, expected]: readonly [string, string, number]) => {
      const { status } = await fetch(`${counted.url}${path}`, { method });
      t.is(status, expected, `${method} ${path}`);
    };
    const readiness = isUp ? 200 : 503;
    const startedAtMs = performance.now();
    for (let round = 0; round < 20; round += 1) {
      const asked = Array.from({ length: 10 }, (_, index) => [
        ['GET', '/healthz', 200] as const,
        ['GET', `/readyz?round=${round}&index=${index}`, readiness] as const,
        ['HEAD', '/readyz', readiness] as const,
        ['POST', '/readyz', 405] as const,
      ]);
      await Promise.all(asked.flat().map(probe));
    }
    const seconds = Math.ceil((performance.now() - startedAtMs) / 1_000);
    // A look asks twice here: for PostgreSQL, and for the bus on it.
    t.true(pings >= 2 && pings <= 2 * seconds, `${pings} pings in ${seconds} s`);
  }
});

test('until row-level security is known to bind, nothing but health is answered, and it is not ready', async (t) => {
  let isChecked = false;
  const starting = await runApi({ ...world, scope: t }, { isDatabaseChecked: () => isChecked });
  const admin = { role: 'admin', sub: 'boss' } as const;
  t.like(await starting.ask('GET', '/users', admin), { status: 503, body: { code: 'database_unavailable' } });
  t.is((await starting.ask('GET', '/healthz')).status, 200);
  t.like(await starting.ask('GET', '/readyz'), { status: 503, body: { status: 'starting', postgres: 'up' } });
  isChecked = true;
  t.like(await starting.ask('GET', '/readyz'), { status: 200, body: { status: 'ready' } });
  t.is((await starting.ask('GET', '/users', admin)).status, 200);
});

test('/docs is readable with what the API itself serves', async (t) => {
  const page = await get('/docs/');
  t.is(page.status, 200);
  const html = await page.text();
  t.notRegex(html, /(src|href)="(https?:)?\/\//);
  for (const [, asset = ''] of html.matchAll(/(?:src|href)="\.\/([^"]+)"/g))
    t.is((await get(`/docs/${asset}`)).status, 200, asset);
});
