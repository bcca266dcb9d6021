import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import test from 'ava';
import { createNotificationActivities } from '../../src/activities/notifications/deliver-notifications.ts';
import { createReplayer } from '../../src/messaging/dead-letters/replay.ts';
import type { Db } from '../../src/postgres/client.ts';
import type { DeadLetter } from '../../src/postgres/generated/client.ts';
import { DELIVERY_MAX_ATTEMPTS } from '../../src/domain/notifications/delivery-policy.ts';
import { createSmtpGateway, type MailGateway } from '../../src/gateways/mail.ts';
import { createSmsGateway, type SmsGateway } from '../../src/gateways/sms.ts';
import { createRedelivery } from '../../src/notifications/redeliver.ts';
import { createDatabase, openTestDb, type TestDatabase } from '../support/services.ts';
import { startMailServer, type MailServer } from '../support/smtp.ts';
import { startSmsReceiver, type SmsReceiver } from '../support/sms.ts';
import { insertUser, notificationsOf, settings, TENANT, write } from './fixtures.ts';

const SECRET = 'a secret of the tests';
const config = settings({
  SMTP_URL: 'smtp://mail.example',
  SMS_WEBHOOK_URL: 'http://sms.example',
  SMS_WEBHOOK_SECRET: SECRET,
});

let database: TestDatabase;
let db: Db;
let mailServer: MailServer;
let mail: MailGateway;
let receiver: SmsReceiver;
let sms: SmsGateway;

test.before(async () => {
  database = await createDatabase();
  db = openTestDb(database.url);
  mailServer = await startMailServer();
  mail = createSmtpGateway({ url: mailServer.url, from: 'Steadfast <no-reply@example.org>' });
});
test.after.always(async () => {
  mail?.close();
  await mailServer?.close();
  await db?.close();
  await database?.drop();
});
test.beforeEach(async () => {
  mailServer.received.splice(0);
  receiver = await startSmsReceiver({ secret: SECRET });
  sms = createSmsGateway({ url: receiver.url, secret: SECRET });
});
test.afterEach.always(() => receiver.close());

async function insertReader(
  user: { locale?: string; phone?: string | null; notificationChannels?: string[] } = {},
): Promise<string> {
  const { locale = 'en', ...rest } = user;
  const userId = await insertUser(db, { locale });
  await db.inTenant(TENANT, (tx) =>
    tx.user.update({
      where: { tenantId_id: { tenantId: TENANT, id: userId } },
      data: { phone: '+33 1 23-45 67.89', notificationChannels: ['sms'], ...rest },
    }),
  );
  return userId;
}

function deliver(
  notificationIds: readonly string[],
  gateways: { mail?: MailGateway | undefined; sms?: SmsGateway | undefined } = {},
): Promise<void> {
  const { deliverNotifications } = createNotificationActivities({ db, config: settings(), mail, sms, ...gateways });
  const logger = new DefaultLogger('ERROR'); // failed attempts are what is tested
  return new MockActivityEnvironment({}, { logger }).run(deliverNotifications, { tenantId: TENANT, notificationIds });
}

function deadLetters(userId: string): Promise<DeadLetter[]> {
  return db.inTenant(TENANT, (tx) => tx.deadLetter.findMany({ where: { key: userId } }));
}

async function told(userId: string): Promise<string[]> {
  return (await notificationsOf(db, userId)).map(({ channel, status }) => `${channel} ${status}`).toSorted();
}

test.serial('a text message is handed over signed, short and once', async (t) => {
  const userId = await insertReader({ locale: 'fr' });
  const ids = await write(db, { userId, settings: config });
  await deliver(ids);
  await deliver(ids);
  t.deepEqual(receiver.received, [
    {
      idempotencyKey: ids[0] ?? '',
      isAuthentic: true,
      body: {
        to: '+33123456789',
        text: 'Votre profil est à compléter (échéance : dans 5 jours). https://app.example/?a=1&b=2',
      },
    },
  ]);
  t.deepEqual(mailServer.received, []);
  t.like((await notificationsOf(db, userId))[0], {
    channel: 'sms',
    status: 'sent',
    attempts: 1,
    subject: '',
    html: '',
  });
});

test.serial('a receiver with another secret does not take the message for ours', async (t) => {
  const stranger = await startSmsReceiver({ secret: 'another secret altogether' });
  t.teardown(() => stranger.close());
  await createSmsGateway({ url: stranger.url, secret: SECRET }).send({ id: 'n1', to: '+331', text: 'hello' });
  t.like(stranger.received[0], { isAuthentic: false });
});

test.serial('who chose both channels is told by both, and one in trouble does not hold up the other', async (t) => {
  const userId = await insertReader({ notificationChannels: ['email', 'sms'] });
  const ids = await write(db, { userId, kind: 'profile_expired', markDays: 0, settings: config });
  t.is(ids.length, 2);
  receiver.answers.push(503);
  await t.throwsAsync(deliver(ids), { instanceOf: ApplicationFailure, message: /^1 of 2/ });
  t.deepEqual(await told(userId), ['email sent', 'sms pending']);
  await deliver(ids);
  t.deepEqual(await told(userId), ['email sent', 'sms sent']);
  t.is(mailServer.received.length, 1);
  t.is(new Set(receiver.received.map(({ idempotencyKey }) => idempotencyKey)).size, 1);
});

for (const status of [302, 401, 404, 408, 429, 500]) {
  test.serial(`${status} puts the message off`, async (t) => {
    const userId = await insertReader();
    const ids = await write(db, { userId, settings: config });
    receiver.answers.push(status);
    const failure = await t.throwsAsync(deliver(ids), { instanceOf: ApplicationFailure });
    t.false(failure?.nonRetryable);
    t.like((await notificationsOf(db, userId))[0], {
      status: 'pending',
      attempts: 1,
      lastError: `Error: the SMS webhook answered ${status}`,
    });
    await deliver(ids);
    t.deepEqual(await told(userId), ['sms sent']);
  });
}

test.serial(
  '400 is for good: a dead letter without the number, which a replay sends once it is accepted',
  async (t) => {
    const userId = await insertReader();
    const ids = await write(db, { userId, settings: config });
    receiver.answers.push(400);
    await deliver(ids);
    t.deepEqual(await told(userId), ['sms failed']);
    const [letter] = await deadLetters(userId);
    t.like(letter, { source: 'notification', type: 'profile_reminder', cause: 'recipient_refused', messageId: ids[0] });
    t.notRegex(JSON.stringify(letter), /33123/);

    const withoutSms = createReplayer({
      db,
      handlers: { notification: createRedelivery({ db, mail, config: settings() }) },
    });
    t.is((await withoutSms.replay(TENANT, letter?.id ?? '', 'ann')).outcome, 'failed');
    t.like((await deadLetters(userId))[0], { status: 'parked', cause: 'sms_unavailable' });
    const replayer = createReplayer({
      db,
      handlers: { notification: createRedelivery({ db, mail, sms, config: settings() }) },
    });
    t.is((await replayer.replay(TENANT, letter?.id ?? '', 'ann')).outcome, 'replayed');
    t.deepEqual(await told(userId), ['sms sent']);
  },
);

test.serial('a receiver that is away is tried again until the last allowed attempt parks the message', async (t) => {
  const userId = await insertReader();
  const ids = await write(db, { userId, settings: config });
  await receiver.close();
  await t.throwsAsync(deliver(ids), { instanceOf: ApplicationFailure });
  await db.inTenant(TENANT, (tx) =>
    tx.notification.updateMany({ where: { userId }, data: { attempts: DELIVERY_MAX_ATTEMPTS - 1 } }),
  );
  await deliver(ids);
  t.deepEqual(await told(userId), ['sms failed']);
  t.like((await deadLetters(userId))[0], { status: 'parked', cause: 'sms_unavailable' });
});

test.serial('without a webhook text messages are kept for reading, while e-mails go out', async (t) => {
  const userId = await insertReader({ notificationChannels: ['email', 'sms'] });
  const ids = await write(db, { userId, settings: settings({ SMTP_URL: 'smtp://mail.example' }) });
  t.is(ids.length, 1);
  t.deepEqual(await told(userId), ['email pending', 'sms kept']);
  const other = await insertReader({ notificationChannels: ['email', 'sms'] });
  await deliver(await write(db, { userId: other, settings: config }), { sms: undefined });
  t.deepEqual(await told(other), ['email sent', 'sms kept']);
});

test.serial('who chose text messages and has no number is told by e-mail', async (t) => {
  const userId = await insertReader({ phone: null });
  await write(db, { userId, settings: config });
  t.deepEqual(await told(userId), ['email pending']);
});
