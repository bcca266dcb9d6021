import test from 'ava';
import { runApi } from '../support/api.ts';
import { startRestartablePostgres } from '../support/restartable-postgres.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { createWorld } from '../support/world.ts';

const admin = { role: 'admin', sub: 'boss' } as const;

test('while PostgreSQL is away requests are 503 and /readyz is red; both recover by themselves', async (t) => {
  const postgres = await startRestartablePostgres();
  t.teardown(() => postgres.remove());
  const temporal = temporalAt(t, NO_TEMPORAL);
  const api = await runApi(await createWorld(t, { databaseUrl: postgres.url, temporal, poolSize: 5 }));
  const json = (name: string) => ({ authSubject: name, email: `${name}@example.com` });
  const readiness = async () => (await fetch(`${api.url}/readyz`)).status;
  t.is((await api.ask('POST', '/users', { ...admin, json: json('before') })).status, 201);
  t.is(await readiness(), 200);

  const inFlight = Array.from({ length: 20 }, (_, index) =>
    api.ask('POST', '/users', { ...admin, json: json(`during-${index}`) }),
  );
  await postgres.kill();
  for (const { status, body } of await Promise.all(inFlight))
    t.true(status === 201 || body['code'] === 'database_unavailable', String(status));
  for (const [method, path, ask] of [
    ['GET', '/users', admin],
    ['POST', '/users', { ...admin, json: json('away') }],
    ['POST', '/users', { ...admin, json: json('away'), headers: { 'Idempotency-Key': 'away' } }],
    ['GET', '/users/11111111-1111-1111-1111-111111111111', { role: 'user' }],
    ['POST', '/dead-letters/11111111-1111-1111-1111-111111111111/replay', admin],
  ] as const) {
    const { status, body, headers } = await api.ask(method, path, ask);
    t.is(status, 503, `${method} ${path}`);
    t.like(body, { code: 'database_unavailable', retryable: true });
    t.truthy(headers.get('Retry-After'));
  }
  await until(async () => (await readiness()) === 503, { what: 'that it is not ready' });
  t.is((await fetch(`${api.url}/healthz`)).status, 200);

  await postgres.start();
  await until(async () => (await readiness()) === 200, { what: 'readiness' });
  t.is((await api.ask('POST', '/users', { ...admin, json: json('before') })).status, 200, 'what was answered was kept');
  t.is(
    (await api.ask('POST', '/users', { ...admin, json: json('away'), headers: { 'Idempotency-Key': 'away' } })).status,
    201,
  );
});
