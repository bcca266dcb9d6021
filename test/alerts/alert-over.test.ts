import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import type { AlertLoop } from '../../src/alerts/alert-loop.ts';
import type { Check } from '../../src/alerts/check.ts';
import { resolveAlert } from '../../src/db/alerts/alert-commands.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { createSmtpGateway } from '../../src/gateways/mail.ts';
import { createDatabase, openTestSystem, type TestDatabase } from '../support/services.ts';
import { startMailServer } from '../support/smtp.ts';
import { absentTemporal, alertsOf, loopOf, startWebhookServer, type WebhookServer } from './fixtures.ts';

const KIND = 'relay_stalled';
const DAY_MS = 86_400_000;
let database: TestDatabase;
let system: SystemDb;
let stands: boolean;

test.beforeEach(async () => {
  database = await createDatabase();
  system = openTestSystem(database.url);
  stands = true;
});
test.afterEach.always(async () => {
  await system.close();
  await database.drop();
});

const check: Check = {
  kind: KIND,
  run: async () =>
    stands ? [{ tenantId: 'acme', key: 'relay', severity: 'critical', summary: 'It stalls', details: {} }] : [],
};

async function startLoop(t: ExecutionContext, env: Record<string, string>, calmMs = 0): Promise<AlertLoop> {
  const mail =
    env['SMTP_URL'] === undefined ? undefined : createSmtpGateway({ url: env['SMTP_URL'], from: 'a@example.org' });
  const loop = loopOf({ system, client: await absentTemporal(), mail, checks: [check], calmMs }, env);
  t.teardown(async () => {
    await loop.stop();
    mail?.close();
  });
  return loop;
}
async function startWebhook(t: ExecutionContext): Promise<WebhookServer> {
  const webhook = await startWebhookServer();
  t.teardown(() => webhook.close());
  return webhook;
}
const call = z.object({ id: z.string(), status: z.string() });
const toldAt = ({ calls }: WebhookServer) => calls.map(({ body }) => call.parse(JSON.parse(body)).status);
const theAlert = async () => {
  const [alert] = await alertsOf(system, KIND);
  if (alert === undefined) throw new Error('there is no alert');
  return alert;
};

test.serial('that it is over is told where it was told, whatever the settings say by then', async (t) => {
  const server = await startMailServer();
  t.teardown(() => server.close());
  const [before, after] = [await startWebhook(t), await startWebhook(t)];
  const first = await startLoop(t, {
    SMTP_URL: server.url,
    ADMIN_EMAILS: 'boss@example.org,ops@example.org',
    ALERT_WEBHOOK_URL: before.url,
  });
  await first.runOnce();
  await first.stop();

  stands = false;
  const second = await startLoop(t, {
    SMTP_URL: server.url,
    ADMIN_EMAILS: 'new@example.org',
    ALERT_WEBHOOK_URL: after.url,
  });
  for (let round = 0; round < 3; round += 1) await second.runOnce();

  const { id } = await theAlert();
  t.deepEqual(
    before.calls.map(({ key }) => key),
    [id, `${id}:resolved`],
  );
  t.deepEqual(toldAt(before), ['open', 'resolved']);
  t.deepEqual(after.calls, []);
  const mails = server.received.map(({ to, subject, messageId }) => `${to.join()} ${subject} ${messageId}`).toSorted();
  t.deepEqual(mails, [
    `boss@example.org [critical] It stalls <alert.${id}@steadfast>`,
    `boss@example.org [resolved] It stalls <alert.${id}.resolved@steadfast>`,
    `ops@example.org [critical] It stalls <alert.${id}@steadfast>`,
    `ops@example.org [resolved] It stalls <alert.${id}.resolved@steadfast>`,
  ]);
});

test.serial('a channel that fails hears of the beginning before it hears of the end; others do not wait', async (t) => {
  const server = await startMailServer();
  t.teardown(() => server.close());
  const webhook = await startWebhook(t);
  webhook.status = 503;
  const loop = await startLoop(t, {
    SMTP_URL: server.url,
    ADMIN_EMAILS: 'boss@example.org',
    ALERT_WEBHOOK_URL: webhook.url,
  });
  await loop.runOnce();
  stands = false;
  for (let round = 0; round < 2; round += 1) await loop.runOnce();
  t.true(toldAt(webhook).every((status) => status === 'open'));
  t.deepEqual(
    server.received.map(({ subject }) => subject),
    ['[critical] It stalls', '[resolved] It stalls'],
  );
  webhook.status = 200;
  webhook.calls.length = 0;
  for (let round = 0; round < 2; round += 1) await loop.runOnce();
  t.deepEqual(toldAt(webhook), ['open', 'resolved']);
  t.is(server.received.length, 2);
});

test.serial('where a process died while it told, the end is told as well', async (t) => {
  const [before, after] = [await startWebhook(t), await startWebhook(t)];
  await (await startLoop(t, { ALERT_WEBHOOK_URL: before.url })).runOnce();
  await system.acrossTenants((tx) => tx.alert.updateMany({ data: { undelivered: ['webhook'] } })); // not yet written
  await system.pool.query('DELETE FROM leases');
  stands = false;
  const loop = await startLoop(t, { ALERT_WEBHOOK_URL: after.url });
  for (let round = 0; round < 2; round += 1) await loop.runOnce();
  t.deepEqual(toldAt(before), ['open', 'resolved']);
  t.deepEqual(toldAt(after), ['open', 'resolved']);
});

test.serial(
  'a condition that comes and goes is told to begin, to be over, to be back, and then once it is calm',
  async (t) => {
    const webhook = await startWebhook(t);
    const loop = await startLoop(t, { ALERT_WEBHOOK_URL: webhook.url }, DAY_MS);
    for (let round = 0; round < 10; round += 1) {
      stands = round % 2 === 0;
      await loop.runOnce();
    }
    t.deepEqual(toldAt(webhook), ['open', 'resolved', 'open']);
    t.is((await alertsOf(system, KIND)).length, 5);

    await system.acrossTenants((tx) =>
      tx.alert.updateMany({ data: { resolvedAt: new Date(Date.now() - 2 * DAY_MS), nextDeliveryAt: new Date(0) } }),
    );
    for (let round = 0; round < 2; round += 1) await loop.runOnce();
    t.deepEqual(toldAt(webhook), ['open', 'resolved', 'open', 'resolved']);
    t.is(webhook.calls[3]?.key, `${webhook.calls[2]?.key}:resolved`);
  },
);

test.serial(
  'an alert that somebody resolves is told to be over at once, and is told anew when it is seen again',
  async (t) => {
    const webhook = await startWebhook(t);
    const loop = await startLoop(t, { ALERT_WEBHOOK_URL: webhook.url }, DAY_MS);
    for (let times = 0; times < 2; times += 1) {
      stands = true;
      await loop.runOnce();
      const { id } = (await alertsOf(system, KIND)).find(({ status }) => status === 'open') ?? (await theAlert());
      await system.acrossTenants((tx) => resolveAlert(tx, { tenantId: 'acme', id, by: 'ann', at: new Date() }));
      stands = false;
      await loop.runOnce();
    }
    t.deepEqual(toldAt(webhook), ['open', 'resolved', 'open', 'resolved']);
  },
);
