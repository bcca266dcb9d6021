import test from 'ava';
import type { Check } from '../../src/alerts/check.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { acquireLease, releaseLease } from '../../src/postgres/leases.ts';
import { createSmtpGateway } from '../../src/gateways/mail.ts';
import { createDatabase, openTestSystem, type TestDatabase } from '../support/services.ts';
import { startMailServer } from '../support/smtp.ts';
import { until } from '../support/until.ts';
import { absentTemporal, alertsOf, loopOf, startWebhookServer } from './fixtures.ts';

let database: TestDatabase;
let system: SystemDb;

test.beforeEach(async () => {
  database = await createDatabase();
  system = openTestSystem(database.url);
});
test.afterEach.always(async () => {
  await system.close();
  await database.drop();
});

const standing: Check = {
  kind: 'relay_stalled',
  run: async () => [
    {
      tenantId: 'acme',
      key: 'relay',
      severity: 'critical',
      summary: 'Nothing is relayed\r\nBcc: x@example.org',
      details: { lag: 7 },
    },
  ],
};

test.serial('a new alert is told once to each administrator and to the webhook, however long it stands', async (t) => {
  const server = await startMailServer();
  const webhook = await startWebhookServer();
  const mail = createSmtpGateway({ url: server.url, from: 'Steadfast <alerts@example.org>' });
  const loop = loopOf(
    { system, client: await absentTemporal(), mail, checks: [standing] },
    {
      SMTP_URL: server.url,
      ADMIN_EMAILS: 'boss@example.org,ops@example.org',
      ALERT_WEBHOOK_URL: webhook.url,
    },
  );
  t.teardown(async () => {
    await loop.stop();
    mail.close();
    await server.close();
    await webhook.close();
  });
  for (let round = 0; round < 3; round++) t.true(await loop.runOnce());

  const [alert] = await alertsOf(system, 'relay_stalled');
  t.like(alert, { count: 3, undelivered: [], severity: 'critical' });
  t.deepEqual(server.received.flatMap(({ to }) => to).sort(), ['boss@example.org', 'ops@example.org']);
  t.is(server.received[0]?.subject, '[critical] Nothing is relayed Bcc: x@example.org');
  t.is(server.received[0]?.messageId, `<alert.${alert?.id}@steadfast>`);
  t.is(webhook.calls.length, 1);
  t.is(webhook.calls[0]?.key, alert?.id);
  t.like(JSON.parse(webhook.calls[0]?.body ?? ''), {
    id: alert?.id,
    kind: 'relay_stalled',
    tenantId: 'acme',
    details: { lag: 7 },
  });
});

test.serial(
  'a webhook that fails is tried again until it answers, and the other channels are not told twice',
  async (t) => {
    const server = await startMailServer();
    const webhook = await startWebhookServer();
    webhook.status = 503;
    const mail = createSmtpGateway({ url: server.url, from: 'alerts@example.org' });
    const loop = loopOf(
      { system, client: await absentTemporal(), mail, checks: [standing] },
      {
        SMTP_URL: server.url,
        ADMIN_EMAILS: 'boss@example.org',
        ALERT_WEBHOOK_URL: webhook.url,
      },
    );
    t.teardown(async () => {
      await loop.stop();
      mail.close();
      await server.close();
      await webhook.close();
    });
    await loop.runOnce();
    await loop.runOnce();
    t.like((await alertsOf(system, 'relay_stalled'))[0], { undelivered: ['webhook'], deliveryAttempts: 2 });
    t.regex((await alertsOf(system, 'relay_stalled'))[0]?.deliveryError ?? '', /503/);

    webhook.status = 200;
    await loop.runOnce();
    t.like((await alertsOf(system, 'relay_stalled'))[0], { undelivered: [], deliveryError: null });
    t.is(webhook.calls.length, 3);
    t.is(server.received.length, 1);
  },
);

test.serial('of two loops one acts, and the other takes over when it stops', async (t) => {
  const client = await absentTemporal();
  const [first, second] = [
    loopOf({ system, client, checks: [standing] }),
    loopOf({ system, client, checks: [standing] }),
  ];
  t.teardown(() => second.stop());
  t.true(await first.runOnce());
  t.false(await second.runOnce());
  t.true(await first.runOnce());
  t.is((await alertsOf(system, 'relay_stalled'))[0]?.count, 2);
  await first.stop();
  t.true(await second.runOnce());
  t.is((await alertsOf(system, 'relay_stalled'))[0]?.count, 3);
});

test.serial('a lease that its owner no longer prolongs runs out', async (t) => {
  t.true(await acquireLease(system.pool, { name: 'duty', owner: 'a', ttlMs: 60_000 }));
  t.false(await acquireLease(system.pool, { name: 'duty', owner: 'b', ttlMs: 60_000 }));
  await releaseLease(system.pool, { name: 'duty', owner: 'b' });
  t.false(await acquireLease(system.pool, { name: 'duty', owner: 'b', ttlMs: 60_000 }));
  t.true(await acquireLease(system.pool, { name: 'duty', owner: 'a', ttlMs: 1 }));
  await until(() => acquireLease(system.pool, { name: 'duty', owner: 'b', ttlMs: 60_000 }));
  t.false(await acquireLease(system.pool, { name: 'duty', owner: 'a', ttlMs: 60_000 }));
});

test.serial('start looks by itself until stop', async (t) => {
  let rounds = 0;
  const counting: Check = {
    kind: 'relay_stalled',
    run: async () => {
      rounds += 1;
      return [];
    },
  };
  const loop = loopOf(
    { system, client: await absentTemporal(), checks: [counting] },
    { ALERT_CHECK_INTERVAL_MS: '100' },
  );
  loop.start();
  await until(() => rounds >= 3);
  await loop.stop();
  const after = rounds;
  t.true(await acquireLease(system.pool, { name: 'alerts', owner: 'next', ttlMs: 60_000 }));
  t.is(rounds, after);
});
