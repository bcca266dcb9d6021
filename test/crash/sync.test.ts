import test from 'ava';
import { SYNC_CONFIRMATIONS, TOPICS } from '../../src/events/user-events.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { confirm, isOnBus, isSynced } from './confirmations.ts';
import { assertNothingLeft, assertPublished, assertSyncAgrees, read, untilEach } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld, plant, SERVICES } from './crash-world.ts';
import type { World } from '../support/world.ts';
import { spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 420_000;
const CONFIRMED_AT_A_TIME = 15;
const settings = { SYNC_CONFIRMATION_TIMEOUT_MS: '20000', SYNC_RETRY_DELAYS: '1000' };

test.serial(
  "a worker killed at any statement of a publication loses no message, nor the order of a user's",
  async (t) => {
    t.timeout(TIMEOUT_MS);
    const world = await createCrashWorld(t, { settings });
    const { targets, points, kills } = await walk({
      world,
      start: spawnWorker,
      from: /./,
      begin: (users) => plantAll(world, users),
      isDone: (userId) => isOnBus(world, userId),
    });
    t.log(`${points.length} points, ${kills} processes killed`);
    for (const statement of ['users', 'outgoing_messages', 'bus_messages', 'log_cursors', 'COMMIT'])
      t.true(
        points.some((point) => point.includes(statement)),
        statement,
      );
    t.true(points.length >= 15, points.join('\n'));

    await spawnWorker(world);
    await untilEach(targets, (userId) => isOnBus(world, userId), 'the first publication');
    // A few at a time: a worker that has just started replays each history, and workflow tasks have little time here.
    for (let from = 0; from < targets.length; from += CONFIRMED_AT_A_TIME) {
      const some = targets.slice(from, from + CONFIRMED_AT_A_TIME);
      await confirm(world, some);
      await untilEach(some, (userId) => isSynced(world, userId), 'synchronisation');
    }
    await assertSynced(t, world, targets);
  },
);

test.serial('a worker killed at any statement of a confirmation counts it, and once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t, { settings });
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: /sync-confirmations|sync\.user\.confirmed/,
    begin: async (users) => {
      await plantAll(world, users);
      await untilEach(users, (userId) => isOnBus(world, userId), 'the first publication');
      await confirm(world, users);
    },
    isDone: (userId) => isSynced(world, userId),
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['inbox_messages', 'pending_starts', 'log_cursors', 'users', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );
  t.true(points.length >= 20, points.join('\n'));

  await spawnWorker(world);
  await assertSynced(t, world, targets);
});

async function plantAll(world: World, users: readonly string[]): Promise<void> {
  const deadline = new Date(Date.now() + 7 * 86_400_000);
  for (const userId of users) await plant(world, { userId, workflow: 'userSync', deadline, services: SERVICES });
}

async function assertSynced(
  t: Parameters<typeof assertNothingLeft>[0],
  world: World,
  users: readonly string[],
): Promise<void> {
  await untilEach(users, (userId) => isSynced(world, userId), 'synchronisation');
  await assertNothingLeft(t, world, users.map(userSyncWorkflowId));
  for (const topics of (await assertPublished(t, world, users)).values())
    t.true(topics.every((topic) => topic === TOPICS.userCreated));
  const inbox = await read(world.system, (tx) =>
    tx.inboxMessage.findMany({ where: { consumer: SYNC_CONFIRMATIONS }, select: { messageId: true } }),
  );
  t.deepEqual(
    inbox.map(({ messageId }) => messageId).toSorted(),
    users.flatMap((userId) => SERVICES.map((service) => `${service} ${service}:${userId}`)).toSorted(),
  );
  for (const userId of users) await assertSyncAgrees(t, world, userId);
}
