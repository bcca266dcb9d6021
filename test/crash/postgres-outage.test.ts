import { randomUUID } from 'node:crypto';
import test from 'ava';
import { notificationMessageId } from '../../src/domain/notifications/delivery-policy.ts';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { startRestartablePostgres } from '../support/restartable-postgres.ts';
import { startMailServer } from '../support/smtp.ts';
import { until } from '../support/until.ts';
import { createApiClient } from '../support/api-client.ts';
import { confirm, isOnBus, isSynced } from './confirmations.ts';
import { assertNothingLeft, assertProfileAgrees, assertSyncAgrees, read, untilEach, userOf } from './end-state.ts';
import { createCrashWorld, plant, SERVICES } from './crash-world.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 420_000;
const DAY_MS = 86_400_000;
/** Time to take PostgreSQL away before the reminder falls due. */
const DUE_MS = 5_000;

test('while PostgreSQL is away the API says so and what falls due waits; then both go on by themselves', async (t) => {
  t.timeout(TIMEOUT_MS);
  const postgres = await startRestartablePostgres();
  t.teardown(() => postgres.remove());
  const mail = await startMailServer();
  t.teardown(() => mail.close());
  const world = await createCrashWorld(t, {
    databaseUrl: postgres.url,
    settings: { SMTP_URL: mail.url, PROFILE_REMINDER_MARKS_DAYS: '0.5', SYNC_CONFIRMATION_TIMEOUT_MS: '600000' },
  });
  const [worker, api] = await Promise.all([spawnWorker(world), spawnApi(world)]);
  const ask = await createApiClient(world);
  const register = () => ask('POST', '/users', { authSubject: 'somebody', email: 'somebody@example.com' });

  const [reminded, confirmed] = [randomUUID(), randomUUID()];
  await plant(world, {
    userId: confirmed,
    workflow: 'userSync',
    deadline: new Date(Date.now() + DAY_MS),
    services: SERVICES,
  });
  await untilEach([confirmed], (userId) => isOnBus(world, userId), 'the first publication');
  await plant(world, {
    userId: reminded,
    workflow: 'profile',
    deadline: new Date(Date.now() + DAY_MS / 2 + DUE_MS),
    services: [],
  });
  const history = async () =>
    (await world.client.workflow.getHandle(profileWorkflowId(reminded)).fetchHistory()).events ?? [];
  await until(async () => (await history().catch(() => [])).some((event) => event.timerStartedEventAttributes), {
    what: 'the timer of the reminder',
  });

  process.kill(worker.pid, 'SIGSTOP'); // so that it has not read the confirmations when PostgreSQL goes
  await confirm(world, [confirmed]);
  await postgres.kill();
  process.kill(worker.pid, 'SIGCONT');

  const refused = await register();
  t.is(refused.status, 503);
  t.is(refused.headers.get('Content-Type'), 'application/problem+json');
  t.truthy(refused.headers.get('Retry-After'));
  t.like(await refused.json(), { code: 'database_unavailable' });
  t.is((await ask('GET', '/readyz')).status, 503);
  await until(async () => (await history()).some((event) => event.timerFiredEventAttributes), {
    what: 'the timer to fire',
  });

  await postgres.start();
  await until(async () => (await ask('GET', '/readyz')).status === 200, { what: 'a green /readyz' });
  await until(async () => (await register()).status === 201, { what: 'a registration' });
  await untilEach([confirmed], (userId) => isSynced(world, userId), 'synchronisation');
  await untilEach(
    [reminded],
    async (userId) =>
      (await read(world.system, (tx) => tx.notification.count({ where: { userId, status: 'sent' } }))) === 1,
    'the reminder',
  );
  const { id } = await read(world.system, (tx) => tx.notification.findFirstOrThrow({ where: { userId: reminded } }));
  t.deepEqual(
    mail.received.map(({ messageId }) => messageId),
    [notificationMessageId(id)],
  );
  t.is((await userOf(world.system, reminded)).profileCompletionReminders, 1);
  await assertProfileAgrees(t, world, reminded);
  await assertSyncAgrees(t, world, confirmed);
  await assertNothingLeft(t, world, [profileWorkflowId(reminded), userSyncWorkflowId(confirmed)]);
  t.true(worker.isRunning() && api.isRunning());
});
