import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { z } from 'zod';
import { TOPICS } from '../../src/events/user-events.ts';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { createApiClient } from '../support/api-client.ts';
import { assertNothingLeft, assertProfileAgrees, assertPublished, assertSyncAgrees, read } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld } from './crash-world.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 420_000;
const RETRY_MS = 100;

test('an API killed at any statement of a registration makes one user and starts its workflows once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t, {
    settings: { SYNC_CONFIRMATION_TIMEOUT_MS: '600000', ALERT_CHECK_INTERVAL_MS: '600000' },
  });
  const { system } = world;
  const ask = await createApiClient(world);

  /** Asks until it is answered for good, as a client does whose server goes away in the middle or is only starting. */
  const register = async (authSubject: string): Promise<number> => {
    for (;;) {
      const answer = await ask('POST', '/users', { authSubject, email: `${authSubject}@example.com` }).catch(
        () => undefined,
      );
      if (answer !== undefined && answer.status !== 503) return answer.status;
      await sleep(RETRY_MS);
    }
  };
  const answers: Promise<number>[] = [];
  const idsOf = (authSubject: string) =>
    read(system, (tx) => tx.user.findMany({ where: { authSubject }, select: { id: true } }));
  const { targets, points, kills } = await walk({
    world,
    start: spawnApi,
    from: /./,
    begin: async (subjects) => void answers.push(...subjects.map(register)),
    isDone: async (subject) => {
      const [user] = await idsOf(subject);
      if (user === undefined) return false;
      const workflowId = { in: [profileWorkflowId(user.id), userSyncWorkflowId(user.id)] };
      return (await read(system, (tx) => tx.pendingStart.count({ where: { workflowId } }))) === 0;
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const point of [
    'before WITH former',
    'after WITH former',
    'after WITH due',
    'before WITH removed',
    'after WITH removed',
  ]) {
    t.true(
      points.some((held) => held.startsWith(point)),
      `${point}: ${points.join('\n')}`,
    );
  }

  await spawnApi(world);
  t.deepEqual(
    [...new Set(await Promise.all(answers))].toSorted((a, b) => a - b),
    [200, 201],
    'a registration whose answer got lost is answered by the user that it made',
  );
  const users: string[] = [];
  for (const subject of targets) {
    const ids = await idsOf(subject);
    t.is(ids.length, 1);
    users.push(z.string().parse(ids[0]?.id));
  }
  await spawnWorker(world);
  for (const topics of (await assertPublished(t, world, users)).values()) t.deepEqual(topics, [TOPICS.userCreated]);
  await assertNothingLeft(
    t,
    world,
    users.flatMap((userId) => [profileWorkflowId(userId), userSyncWorkflowId(userId)]),
  );
  for (const userId of users) {
    await assertProfileAgrees(t, world, userId);
    await assertSyncAgrees(t, world, userId);
  }
});
