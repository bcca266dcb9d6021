import test, { type ExecutionContext } from 'ava';
import { notificationMessageId } from '../../src/domain/notifications/delivery-policy.ts';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { startMailServer, type MailServer } from '../support/smtp.ts';
import { assertNothingLeft, assertProfileAgrees, assertSyncAgrees, read, untilEach, userOf } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld, plant } from './crash-world.ts';
import type { World } from '../support/world.ts';
import { spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 420_000;
const DAY_MS = 86_400_000;
const BOSS = 'boss@example.org';
/** Time for a workflow to be started and to set its timer. */
const SOON_MS = 500;
const SAVES_PROFILE = /SELECT status::text, customer_id/;

test('a worker killed at any statement of a reminder counts it once, under one Message-ID', async (t) => {
  t.timeout(TIMEOUT_MS);
  const { world, mail } = await createMailingWorld(t, { PROFILE_REMINDER_MARKS_DAYS: '0.5' });
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: SAVES_PROFILE,
    begin: (users) => plantAll(world, users, DAY_MS / 2 + SOON_MS),
    isDone: async (userId) => (await statusesOfNotifications(world, userId)).join() === 'sent',
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['users', 'notifications', 'leases', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );
  t.true(points.length >= 12, points.join('\n'));

  await spawnWorker(world);
  await untilEach(
    targets,
    async (userId) => (await statusesOfNotifications(world, userId)).join() === 'sent',
    'delivery',
  );
  for (const userId of targets) {
    t.is((await userOf(world.system, userId)).profileCompletionReminders, 1);
    await assertMailed(t, { world, mail, userId, kind: 'profile_reminder', recipients: [`${userId}@example.com`] });
    await assertProfileAgrees(t, world, userId);
  }
  await assertNothingLeft(t, world, targets.map(profileWorkflowId));
});

test('a worker killed at any statement of an expiry expires the user once, and tells each of them once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const { world, mail } = await createMailingWorld(t, { PROFILE_REMINDER_MARKS_DAYS: '' });
  const isOver = async (userId: string): Promise<boolean> =>
    (await statusesOfNotifications(world, userId)).join() === 'sent,sent' &&
    (await userOf(world.system, userId)).syncStatus === 'synced' &&
    (await read(world.system, (tx) => tx.pendingStart.count({ where: { workflowId: userSyncWorkflowId(userId) } }))) ===
      0;
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: SAVES_PROFILE,
    begin: (users) => plantAll(world, users, SOON_MS),
    isDone: isOver,
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['users', 'notifications', 'pending_starts', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );
  t.true(points.length >= 20, points.join('\n'));

  await spawnWorker(world);
  await untilEach(targets, isOver, 'expiry');
  for (const userId of targets) {
    t.like(await userOf(world.system, userId), {
      status: 'inactive',
      profileCompletionStatus: 'expired',
      version: 2,
      profileCompletionReminders: 0,
    });
    await assertMailed(t, {
      world,
      mail,
      userId,
      kind: 'profile_expired',
      recipients: [BOSS, `${userId}@example.com`],
    });
    await assertProfileAgrees(t, world, userId);
    await assertSyncAgrees(t, world, userId);
  }
  await assertNothingLeft(
    t,
    world,
    targets.flatMap((userId) => [profileWorkflowId(userId), userSyncWorkflowId(userId)]),
  );
});

async function createMailingWorld(
  t: ExecutionContext,
  settings: Record<string, string>,
): Promise<{ world: World; mail: MailServer }> {
  const mail = await startMailServer();
  t.teardown(() => mail.close());
  const world = await createCrashWorld(t, { settings: { ...settings, SMTP_URL: mail.url, ADMIN_EMAILS: BOSS } });
  return { world, mail };
}

/** Users with no services, whose deadline is `afterMs` from now. */
async function plantAll(world: World, users: readonly string[], afterMs: number): Promise<void> {
  const deadline = new Date(Date.now() + afterMs);
  for (const userId of users) await plant(world, { userId, workflow: 'profile', deadline, services: [] });
}

async function statusesOfNotifications({ system }: World, userId: string): Promise<string[]> {
  const rows = await read(system, (tx) => tx.notification.findMany({ where: { userId }, select: { status: true } }));
  return rows.map(({ status }) => status);
}

/** Each recipient has one notification, and mail of one Message-ID, which is that of the notification. */
async function assertMailed(
  t: ExecutionContext,
  {
    world,
    mail,
    userId,
    kind,
    recipients,
  }: { world: World; mail: MailServer; userId: string; kind: string; recipients: readonly string[] },
): Promise<void> {
  const rows = await read(world.system, (tx) =>
    tx.notification.findMany({ where: { userId }, orderBy: { recipient: 'asc' } }),
  );
  t.deepEqual(
    rows.map((row) => `${row.kind} ${row.recipient}`).toSorted(),
    recipients.map((recipient) => `${kind} ${recipient}`).toSorted(),
  );
  for (const { id, recipient } of rows) {
    const about = mail.received.filter(
      ({ to, messageId }) => to.includes(recipient) && (recipient !== BOSS || messageId === notificationMessageId(id)),
    );
    t.deepEqual([...new Set(about.map(({ messageId }) => messageId))], [notificationMessageId(id)], recipient);
  }
}
