import test from 'ava';
import { z } from 'zod';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { until } from '../support/until.ts';
import { createApiClient } from '../support/api-client.ts';
import { assertNothingLeft, assertProfileAgrees, assertPublished, assertSyncAgrees } from './end-state.ts';
import { startRestartableTemporal } from './restartable-temporal.ts';
import { createCrashWorld } from './crash-world.ts';
import { spawnApi, spawnWorker, startNode } from '../support/processes.ts';
import { temporalAt } from '../support/temporal.ts';

const TIMEOUT_MS = 420_000;
const QUICKLY_MS = 2_000;

test('while Temporal is away users are registered and commands are 503; when it is back nothing is lost', async (t) => {
  t.timeout(TIMEOUT_MS);
  const temporal = await startRestartableTemporal(t);
  const world = await createCrashWorld(t, {
    temporal: temporalAt(t, temporal.address),
    settings: { SYNC_CONFIRMATION_TIMEOUT_MS: '600000' },
  });
  const [worker, api] = await Promise.all([spawnWorker(world), spawnApi(world)]);
  const ask = await createApiClient(world);
  const register = async (name: string): Promise<{ status: number; id: string }> => {
    const answer = await ask('POST', '/users', { authSubject: name, email: `${name}@example.com` });
    return { status: answer.status, id: z.object({ id: z.string() }).parse(await answer.json()).id };
  };
  const start = (userId: string): Promise<Response> =>
    ask('POST', `/users/state-management/${userId}/profile/mark-in-progress`);

  const before = await register('before');
  await assertPublished(t, world, [before.id]);
  await temporal.kill();

  const askedAt = performance.now();
  const during = await register('during');
  t.is(during.status, 201);
  t.true(performance.now() - askedAt < QUICKLY_MS, `${performance.now() - askedAt} ms`);
  for (const userId of [before.id, during.id]) {
    const refused = await start(userId);
    t.is(refused.status, 503);
    t.is(refused.headers.get('Content-Type'), 'application/problem+json');
    t.truthy(refused.headers.get('Retry-After'));
    t.like(await refused.json(), { code: 'temporal_unavailable', retryable: true });
  }
  const ready = await ask('GET', '/readyz');
  t.is(ready.status, 200);
  t.like(await ready.json(), { postgres: 'up', temporal: 'down' });

  await temporal.start();
  const users = [before.id, during.id];
  await assertPublished(t, world, users);
  for (const userId of users)
    await until(async () => (await start(userId)).status === 200, { what: 'a command', timeoutMs: 60_000 });
  await assertNothingLeft(
    t,
    world,
    users.flatMap((userId) => [profileWorkflowId(userId), userSyncWorkflowId(userId)]),
  );
  for (const userId of users) {
    await assertProfileAgrees(t, world, userId);
    await assertSyncAgrees(t, world, userId);
  }
  t.true(worker.isRunning() && api.isRunning());
});

test('a worker that is started while Temporal is away works once it comes', async (t) => {
  t.timeout(TIMEOUT_MS);
  const temporal = await startRestartableTemporal(t);
  await temporal.kill();
  const world = await createCrashWorld(t, { temporal: temporalAt(t, temporal.address) });
  const worker = startNode(t, { args: ['worker.ts'], env: world.env });
  await worker.printed(/Temporal is not reachable/);
  await temporal.start();
  await worker.answers(`http://127.0.0.1:${world.env['WORKER_PORT']}/healthz`);
  t.true(worker.isRunning());
});
