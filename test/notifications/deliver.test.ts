import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import test from 'ava';
import { createNotificationActivities } from '../../src/activities/notifications/deliver-notifications.ts';
import type { Db } from '../../src/postgres/client.ts';
import { createReplayer } from '../../src/messaging/dead-letters/replay.ts';
import type { DeadLetter } from '../../src/postgres/generated/client.ts';
import { DELIVERY_MAX_ATTEMPTS } from '../../src/domain/notifications/delivery-policy.ts';
import { createSmtpGateway, type MailGateway } from '../../src/gateways/mail.ts';
import { createRedelivery } from '../../src/notifications/redeliver.ts';
import { createDatabase, openTestDb, type TestDatabase } from '../support/services.ts';
import { startMailServer, type MailServer } from '../support/smtp.ts';
import { until } from '../support/until.ts';
import { insertUser, notificationsOf, settings, TENANT, write } from './fixtures.ts';

let database: TestDatabase;
let db: Db;
let server: MailServer;
let mail: MailGateway;
const config = settings({ SMTP_URL: 'smtp://mail.example', ADMIN_EMAILS: 'boss@example.org' });

test.before(async () => {
  database = await createDatabase();
  db = openTestDb(database.url);
});
test.after.always(async () => {
  await db?.close();
  await database?.drop();
});
test.beforeEach(async () => {
  server = await startMailServer();
  mail = createSmtpGateway({ url: server.url, from: 'Steadfast <no-reply@example.org>' });
});
test.afterEach.always(async () => {
  mail.close();
  await server.close();
});

function deliver(
  notificationIds: readonly string[],
  deps: { mail?: MailGateway | undefined; env?: Record<string, string> } = {},
): Promise<void> {
  const { deliverNotifications } = createNotificationActivities({ db, mail, config: settings(deps.env), ...deps });
  const logger = new DefaultLogger('ERROR'); // failed attempts are what is tested
  return new MockActivityEnvironment({}, { logger }).run(deliverNotifications, { tenantId: TENANT, notificationIds });
}

function deadLetters(userId: string): Promise<DeadLetter[]> {
  return db.inTenant(TENANT, (tx) => tx.deadLetter.findMany({ where: { key: userId } }));
}

async function statusesOf(userId: string): Promise<string[]> {
  return (await notificationsOf(db, userId)).map(({ status }) => status);
}

test.serial('deliverNotifications hands a message over in text and HTML, and never again', async (t) => {
  const userId = await insertUser(db, { locale: 'fr' });
  const ids = await write(db, { userId, settings: config });
  await deliver(ids);
  await deliver(ids);
  t.is(server.received.length, 1);
  const [received] = server.received;
  t.like(received, {
    from: 'no-reply@example.org',
    subject: 'Votre profil est à compléter (échéance : dans 5 jours)',
    messageId: `<notification.${ids[0]}@steadfast>`,
  });
  t.deepEqual(received?.to, [`${userId}@users.example`]);
  t.regex(received?.text ?? '', /Votre profil n'est pas encore complet/);
  t.regex(received?.html ?? '', /<html lang="fr">/);
  const [row] = await notificationsOf(db, userId);
  t.like(row, { status: 'sent', attempts: 1, lastError: null });
  t.true(row?.sentAt instanceof Date);
});

test.serial('of deliveries at the same time one sends', async (t) => {
  const userId = await insertUser(db);
  const ids = await write(db, { userId, settings: config });
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => deliver(ids)));
  t.is(server.received.length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.like(outcome.reason, { type: 'notification_busy' });
  }
});

test.serial(
  'a recipient refused for good becomes a dead letter without personal data, and the others are told',
  async (t) => {
    const userId = await insertUser(db, { email: 'gone@users.example' });
    server.refusals.set('gone@users.example', 550);
    const ids = await write(db, { userId, kind: 'profile_expired', markDays: 0, settings: config });
    await deliver(ids);
    t.deepEqual(
      server.received.map(({ to }) => to),
      [['boss@example.org']],
    );
    const rows = await notificationsOf(db, userId);
    t.deepEqual(
      rows.map(({ recipient, status }) => [recipient, status]),
      [
        ['boss@example.org', 'sent'],
        ['gone@users.example', 'failed'],
      ],
    );
    t.regex(rows[1]?.lastError ?? '', /550/);
    const letters = await deadLetters(userId);
    t.is(letters.length, 1);
    t.like(letters[0], {
      source: 'notification',
      type: 'profile_expired',
      cause: 'recipient_refused',
      messageId: rows[1]?.id,
    });
    t.notRegex(JSON.stringify(letters[0]), /users\.example/);
  },
);

test.serial(
  'a replayed dead letter is handed over once the recipient is accepted, and stays parked before',
  async (t) => {
    const userId = await insertUser(db, { email: 'back@users.example' });
    server.refusals.set('back@users.example', 550);
    await deliver(await write(db, { userId, settings: config }));
    const [letter] = await deadLetters(userId);
    const replayer = createReplayer({ db, handlers: { notification: createRedelivery({ db, mail, config }) } });
    t.is((await replayer.replay(TENANT, letter?.id ?? '', 'ann')).outcome, 'failed');
    t.like((await deadLetters(userId))[0], { status: 'parked', cause: 'recipient_refused', replays: 1 });
    server.refusals.clear();
    t.is((await replayer.replay(TENANT, letter?.id ?? '', 'ann')).outcome, 'replayed');
    t.deepEqual(await statusesOf(userId), ['sent']);
    t.like((await deadLetters(userId))[0], { status: 'replayed' });
  },
);

test.serial('a mail server that is down has the activity tried again until it is back', async (t) => {
  const userId = await insertUser(db, { email: 'later@users.example' });
  const ids = await write(db, { userId, settings: config });
  await server.close();
  const failure = await t.throwsAsync(deliver(ids), { instanceOf: ApplicationFailure });
  t.false(failure?.nonRetryable);
  t.is(failure?.type, 'mail_not_delivered');
  t.notRegex(failure?.message ?? '', /users\.example/);
  t.like((await notificationsOf(db, userId))[0], { status: 'pending', attempts: 1 });
  server = await startMailServer({ port: server.port });
  await deliver(ids);
  t.is(server.received.length, 1);
  t.like((await notificationsOf(db, userId))[0], { status: 'sent', attempts: 2 });
});

test.serial('a recipient put off with 4xx is tried again and does not keep the others waiting', async (t) => {
  const userId = await insertUser(db, { email: 'greylisted@users.example' });
  server.refusals.set('greylisted@users.example', 451);
  const ids = await write(db, { userId, kind: 'profile_expired', markDays: 0, settings: config });
  await t.throwsAsync(deliver(ids), { message: /^1 of 2/ });
  t.deepEqual(
    server.received.map(({ to }) => to),
    [['boss@example.org']],
  );
  server.refusals.clear();
  await deliver(ids);
  t.deepEqual(
    server.received.map(({ to }) => to),
    [['boss@example.org'], ['greylisted@users.example']],
  );
});

test.serial('the last allowed attempt parks the notification', async (t) => {
  const userId = await insertUser(db);
  const ids = await write(db, { userId, settings: config });
  await db.inTenant(TENANT, (tx) =>
    tx.notification.updateMany({ where: { userId }, data: { attempts: DELIVERY_MAX_ATTEMPTS - 1 } }),
  );
  await server.close();
  await t.notThrowsAsync(deliver(ids));
  t.deepEqual(await statusesOf(userId), ['failed']);
  t.like((await deadLetters(userId))[0], { status: 'parked', cause: 'mail_server_unavailable' });
  server = await startMailServer();
});

test.serial('paused notifications wait, cost no attempt, and go out afterwards', async (t) => {
  const userId = await insertUser(db);
  const ids = await write(db, { userId, settings: config });
  const failure = await t.throwsAsync(deliver(ids, { env: { NOTIFICATIONS_PAUSED: 'true' } }), {
    instanceOf: ApplicationFailure,
  });
  t.is(failure?.type, 'notifications_paused');
  t.false(failure?.nonRetryable);
  t.like((await notificationsOf(db, userId))[0], { status: 'pending', attempts: 0 });
  await deliver(ids);
  t.is(server.received.length, 1);
  await t.notThrowsAsync(deliver(ids, { env: { NOTIFICATIONS_PAUSED: 'true' } }));
});

test.serial('what waits when the mail server was taken out of the settings is kept', async (t) => {
  const userId = await insertUser(db);
  await deliver(await write(db, { userId, settings: config }), { mail: undefined });
  t.deepEqual(await statusesOf(userId), ['kept']);
});

test.serial(
  'a worker killed after the mail server took the message sends it again under the same Message-ID',
  async (t) => {
    const userId = await insertUser(db);
    const ids = await write(db, { userId, settings: config });
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('deliver-child.ts', import.meta.url)), database.url, server.url, ...ids],
      { stdio: 'inherit' },
    );
    const exited = new Promise<NodeJS.Signals | null>((resolve) =>
      child.once('exit', (_code, signal) => resolve(signal)),
    );
    server.beforeReply = async () => {
      child.kill('SIGKILL');
      await exited;
      server.beforeReply = () => {};
    };
    t.is(await exited, 'SIGKILL');
    t.like((await notificationsOf(db, userId))[0], { status: 'pending', attempts: 1 });
    await until(() =>
      deliver(ids).then(
        () => true,
        () => false,
      ),
    ); // PostgreSQL notices the death in its own time
    t.is(server.received.length, 2);
    t.deepEqual(
      new Set(server.received.map(({ messageId }) => messageId)),
      new Set([`<notification.${ids[0]}@steadfast>`]),
    );
    t.deepEqual(await statusesOf(userId), ['sent']);
  },
);
