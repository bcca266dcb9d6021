import test from 'ava';
import type { Db } from '../../src/postgres/client.ts';
import { overdueNotifications } from '../../src/db/notifications/notifications.ts';
import { createDatabase, openTestDb, type TestDatabase } from '../support/services.ts';
import { insertUser, notificationsOf, settings, TENANT, write } from './fixtures.ts';

let database: TestDatabase;
let db: Db;
const withMail = settings({
  SMTP_URL: 'smtp://mail.example',
  ADMIN_EMAILS: 'boss@example.org,ops@example.org,boss@example.org',
});

test.before(async () => {
  database = await createDatabase();
  db = openTestDb(database.url);
});
test.after.always(async () => {
  await db?.close();
  await database?.drop();
});

test('writeNotifications speaks French to a French user, with local deadline, days left and link', async (t) => {
  const userId = await insertUser(db, { locale: 'fr-FR' });
  t.is((await write(db, { userId, settings: withMail })).length, 1);
  const [row] = await notificationsOf(db, userId);
  t.is(row?.locale, 'fr');
  t.is(row?.subject, 'Votre profil est à compléter (échéance : dans 5 jours)');
  t.regex(row?.text ?? '', /^Bonjour Ada,/);
  t.regex(row?.text ?? '', /samedi 28 novembre 2026 (à )?10:00/);
  t.regex(row?.text ?? '', /https:\/\/app\.example\/\?a=1&b=2/);
  t.regex(row?.html ?? '', /href="https:\/\/app\.example\/\?a=1&amp;b=2"/);
});

test('writeNotifications speaks English to everybody else', async (t) => {
  const userId = await insertUser(db, { locale: 'de-CH' });
  await write(db, { userId, settings: withMail, now: Date.parse('2026-11-27T20:00:00Z') });
  const [row] = await notificationsOf(db, userId);
  t.is(row?.subject, 'Please complete your profile (due tomorrow)');
  t.regex(row?.text ?? '', /Saturday,? 28 November 2026 at 10:00/);
});

test('a name can write neither headers, nor sentences on lines of their own, nor HTML', async (t) => {
  const userId = await insertUser(db, {
    locale: 'en',
    name: 'Eve\r\nBcc: all@example.org\n<img src=x onerror="alert(1)">',
  });
  await write(db, { userId, settings: withMail });
  const [row] = await notificationsOf(db, userId);
  t.regex(row?.text ?? '', /^Hello Eve Bcc: all@example\.org </);
  t.false(row?.html.includes('<img'));
  t.false(/[\r\n]/.test(row?.subject ?? ''));
});

test('writeNotifications tells of an expiry, the administrators without personal data', async (t) => {
  const userId = await insertUser(db, { email: 'jeanne@users.example', name: 'Jeanne' });
  t.is((await write(db, { userId, kind: 'profile_expired', markDays: 0, settings: withMail })).length, 3);
  const rows = await notificationsOf(db, userId);
  t.deepEqual(
    rows.map(({ recipient, toUser, locale }) => [recipient, toUser, locale]),
    [
      ['boss@example.org', false, 'en'],
      ['jeanne@users.example', true, 'fr'],
      ['ops@example.org', false, 'en'],
    ],
  );
  t.true(rows[0]?.text.includes(userId));
  t.notRegex(`${rows[0]?.subject}${rows[0]?.text}${rows[0]?.html}`, /jeanne/i);
});

test('writeNotifications called again writes nothing more and returns what still waits', async (t) => {
  const userId = await insertUser(db);
  const first = await write(db, { userId, settings: withMail });
  t.deepEqual(await write(db, { userId, settings: withMail }), first);
  t.is((await write(db, { userId, settings: withMail, markDays: 3 })).length, 1);
  t.is((await notificationsOf(db, userId)).length, 2);
});

test('writeNotifications keeps the rows when no mail server is configured', async (t) => {
  const userId = await insertUser(db);
  t.deepEqual(await write(db, { userId, settings: settings() }), []);
  t.deepEqual(
    (await notificationsOf(db, userId)).map(({ status }) => status),
    ['kept'],
  );
});

test('writeNotifications writes nothing for a user who is deleted or unknown', async (t) => {
  const userId = await insertUser(db, { deletedAt: new Date() });
  t.deepEqual(await write(db, { userId, settings: withMail }), []);
  t.deepEqual(await write(db, { userId: '00000000-0000-4000-8000-000000000000', settings: withMail }), []);
  t.deepEqual(await notificationsOf(db, userId), []);
});

test('overdueNotifications lists what has waited too long, and only that', async (t) => {
  const userId = await insertUser(db);
  const [id = ''] = await write(db, { userId, settings: withMail });
  const overdue = (olderThanMs: number) => db.inTenant(TENANT, (tx) => overdueNotifications(tx, olderThanMs));
  t.false((await overdue(3_600_000)).some((row) => row.id === id));
  await db.inTenant(TENANT, (tx) =>
    tx.notification.updateMany({ where: { id }, data: { createdAt: new Date(Date.now() - 7_200_000) } }),
  );
  t.true((await overdue(3_600_000)).some((row) => row.id === id && row.tenantId === TENANT));
});
