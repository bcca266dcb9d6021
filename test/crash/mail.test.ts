import { randomUUID } from 'node:crypto';
import test from 'ava';
import { notificationMessageId } from '../../src/domain/notifications/delivery-policy.ts';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { startMailServer } from '../support/smtp.ts';
import { assertNothingLeft, assertProfileAgrees, read, untilEach, userOf } from './end-state.ts';
import { createCrashWorld, plant } from './crash-world.ts';
import { spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 420_000;
const DAY_MS = 86_400_000;

test('a worker that dies just after a mail was taken hands it over again as the same, counted once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const mail = await startMailServer();
  t.teardown(() => mail.close());
  const world = await createCrashWorld(t, { settings: { SMTP_URL: mail.url, PROFILE_REMINDER_MARKS_DAYS: '0.5' } });
  const first = await spawnWorker(world);
  mail.beforeReply = () => first.kill();
  const userId = randomUUID();
  await plant(world, { userId, workflow: 'profile', deadline: new Date(Date.now() + DAY_MS / 2 + 500), services: [] });
  await first.exited;

  mail.beforeReply = () => {};
  await spawnWorker(world);
  const notifications = () => read(world.system, (tx) => tx.notification.findMany({ where: { userId } }));
  await untilEach(
    [userId],
    async () => (await notifications()).some(({ status }) => status === 'sent'),
    'the second hand-over',
  );
  const [only, ...more] = await notifications();
  t.deepEqual(more, []);
  t.is(only?.attempts, 2);
  const messageId = notificationMessageId(only?.id ?? '');
  t.deepEqual(
    mail.received.map((received) => received.messageId),
    [messageId, messageId],
  );
  t.is((await userOf(world.system, userId)).profileCompletionReminders, 1);
  await assertProfileAgrees(t, world, userId);
  await assertNothingLeft(t, world, [profileWorkflowId(userId)]);
});
