import { randomUUID } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { deadLetterDepth } from '../../src/alerts/checks/dead-letter-depth.ts';
import { deletionUnconfirmed } from '../../src/alerts/checks/deletion-unconfirmed.ts';
import { horizonStalled } from '../../src/alerts/checks/horizon-stalled.ts';
import { relayStalled } from '../../src/alerts/checks/relay-stalled.ts';
import { restoredElsewhere } from '../../src/alerts/checks/restored-elsewhere.ts';
import { syncFailureRate } from '../../src/alerts/checks/sync-failure-rate.ts';
import type { Check } from '../../src/alerts/check.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import type { SyncStatus } from '../../src/postgres/generated/client.ts';
import { resetCursors } from '../../src/maintenance/retention/reset-cursors.ts';
import { enqueueCalls } from '../../src/messaging/outbox/workflow-outbox.ts';
import { createDatabase, openTestSystem, type TestDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { absentTemporal, alertsOf, loopOf, openAlerts } from './fixtures.ts';

let database: TestDatabase;
let system: SystemDb;

test.before(async () => {
  database = await createDatabase();
  system = openTestSystem(database.url);
});
test.after.always(async () => {
  await system?.close();
  await database?.drop();
});

async function addUsers(
  tenantId: string,
  count: number,
  { syncStatus, minutesAgo = 1 }: { syncStatus: SyncStatus; minutesAgo?: number },
): Promise<void> {
  const lastSyncAttempt = new Date(Date.now() - minutesAgo * 60_000);
  await system.acrossTenants((tx) =>
    tx.user.createMany({
      data: Array.from({ length: count }, () => {
        const id = randomUUID();
        return { tenantId, id, authSubject: id, email: `${id}@users.example`, syncStatus, lastSyncAttempt };
      }),
    }),
  );
}

test.serial(
  'a sync failure rate at the threshold raises an alert for its tenant alone, and clears when it sinks',
  async (t) => {
    await addUsers('failing', 4, { syncStatus: 'synced' });
    await addUsers('failing', 1, { syncStatus: 'retry' });
    await addUsers('too-few', 4, { syncStatus: 'failed' });
    await addUsers('long-ago', 9, { syncStatus: 'failed', minutesAgo: 61 });
    await addUsers('well', 9, { syncStatus: 'synced' });
    const loop = loopOf({ system, client: await absentTemporal(), checks: [syncFailureRate] });
    t.teardown(() => loop.stop());

    await loop.runOnce();
    t.deepEqual(await openAlerts(system, 'sync_failure_rate'), ['failing sync_failure_rate:users']);
    const [alert] = await alertsOf(system, 'sync_failure_rate');
    t.like(alert?.details, { attempted: 5, failing: 1 });

    await addUsers('failing', 1, { syncStatus: 'synced' });
    await loop.runOnce();
    t.deepEqual(await openAlerts(system, 'sync_failure_rate'), []);
    t.is((await alertsOf(system, 'sync_failure_rate'))[0]?.resolvedBy, 'system');
  },
);

test.serial('a service that does not confirm deletions raises an alert of its own, until it does', async (t) => {
  const id = randomUUID();
  await system.acrossTenants((tx) =>
    tx.user.create({
      data: {
        tenantId: 'forgetful',
        id,
        authSubject: `deleted:${id}`,
        email: '',
        version: 2,
        deletedAt: new Date(Date.now() - 61 * 60_000),
        services: { create: [{ service: 'accounting', confirmedVersion: 2 }, { service: 'portfolio' }] },
      },
    }),
  );
  const loop = loopOf({ system, client: await absentTemporal(), checks: [deletionUnconfirmed] });
  t.teardown(() => loop.stop());
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'deletion_unconfirmed'), ['forgetful deletion_unconfirmed:portfolio']);
  const [alert] = await alertsOf(system, 'deletion_unconfirmed');
  t.like(alert?.details, { service: 'portfolio', deletions: 1, oldestUserId: id });

  await system.acrossTenants((tx) => tx.user.updateMany({ where: { id }, data: { syncEndedAt: new Date() } }));
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'deletion_unconfirmed'), []);
});

test.serial(
  'dead letters raise one alert a tenant and source, counted up while they wait, cleared when none does, new ' +
    'afterwards',
  async (t) => {
    const park = (tenantId: string, source: string) =>
      system.acrossTenants((tx) =>
        tx.deadLetter.create({
          data: {
            tenantId,
            id: randomUUID(),
            source,
            type: 't',
            cause: 'c',
            detail: 'd',
            messageId: randomUUID(),
            key: 'k',
            payload: '',
          },
        }),
      );
    const loop = loopOf(
      { system, client: await absentTemporal(), checks: [deadLetterDepth] },
      { ALERT_DEAD_LETTER_DEPTH: '2' },
    );
    t.teardown(() => loop.stop());
    await park('acme', 'notification');
    await park('acme', 'notification');
    await park('acme', 'pending-start');
    await park('other', 'notification');
    await loop.runOnce();
    await loop.runOnce();
    t.deepEqual(await openAlerts(system, 'dead_letter_depth'), ['acme dead_letter_depth:notification']);
    t.is((await alertsOf(system, 'dead_letter_depth'))[0]?.count, 2);

    await system.acrossTenants((tx) => tx.deadLetter.updateMany({ data: { status: 'discarded' } }));
    await loop.runOnce();
    t.deepEqual(await openAlerts(system, 'dead_letter_depth'), []);

    await system.acrossTenants((tx) => tx.deadLetter.updateMany({ data: { status: 'parked' } }));
    await loop.runOnce();
    t.deepEqual(
      (await alertsOf(system, 'dead_letter_depth')).map(({ status, count }) => [status, count]),
      [
        ['resolved', 2],
        ['open', 1],
      ],
    );
  },
);

test.serial('a check that fails, or cannot tell, leaves its alerts and the other checks alone', async (t) => {
  const client = await absentTemporal();
  const found: Check = {
    kind: 'relay_stalled',
    run: async () => [{ tenantId: 'acme', key: 'x', severity: 'warning', summary: 's', details: {} }],
  };
  const before = loopOf({ system, client, checks: [found] });
  await before.runOnce();
  await before.stop();

  const failing: Check = { kind: 'relay_stalled', run: () => Promise.reject(new Error('no such table')) };
  const unsure: Check = { kind: 'relay_stalled', run: async () => 'unknown' };
  const loop = loopOf({ system, client, checks: [failing, unsure, { ...found, kind: 'horizon_stalled' }] });
  t.teardown(() => loop.stop());
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'relay_stalled'), ['acme relay_stalled:x']);
  t.deepEqual(await openAlerts(system, 'horizon_stalled'), ['acme horizon_stalled:x']);
});

test.serial('an open transaction that wrote raises horizon_stalled until it ends', async (t) => {
  const loop = loopOf(
    { system, client: await absentTemporal(), checks: [horizonStalled] },
    { ALERT_HORIZON_STALL_MS: '1000' },
  );
  const writer = new pg.Client({ connectionString: database.url });
  await writer.connect();
  t.teardown(async () => {
    await writer.end();
    await loop.stop();
  });
  await writer.query('BEGIN');
  await writer.query('SELECT pg_current_xact_id()');
  const openAfterRound = async () => {
    await loop.runOnce();
    return openAlerts(system, 'horizon_stalled');
  };
  await until(async () => (await openAfterRound()).includes('default horizon_stalled:cluster'));
  await writer.query('COMMIT');
  await until(async () => !(await openAfterRound()).includes('default horizon_stalled:cluster'));
  t.pass();
});

test.serial('what no relay carries out raises relay_stalled until it is', async (t) => {
  const loop = loopOf(
    { system, client: await absentTemporal(), checks: [relayStalled] },
    { ALERT_HORIZON_STALL_MS: '1' },
  );
  t.teardown(() => loop.stop());
  await system.acrossTenants((tx) =>
    enqueueCalls(tx, [{ tenantId: 'acme', kind: 'start', workflowType: 'w', workflowId: 'w:1', input: {} }]),
  );
  await system.acrossTenants(
    (tx) => tx.$executeRaw`
    INSERT INTO outgoing_messages (tenant_id, message_id, topic, key, partition, payload)
      VALUES ('acme', 'm', 't', 'k', 0, '{}')`,
  );
  const openAfterRound = async () => {
    await loop.runOnce();
    return (await openAlerts(system, 'relay_stalled')).filter((alert) => alert.startsWith('default'));
  };
  await until(async () => (await openAfterRound()).length === 2);
  t.deepEqual(await openAfterRound(), [
    'default relay_stalled:outgoing-relay',
    'default relay_stalled:pending-start-relay',
  ]);
  await system.acrossTenants(async (tx) => {
    await tx.pendingStart.deleteMany();
    await tx.outgoingMessage.deleteMany();
  });
  t.deepEqual(await openAfterRound(), []);
});

test.serial('cursors of another cluster raise an alert until the readers are restarted', async (t) => {
  const loop = loopOf({ system, client: await absentTemporal(), checks: [restoredElsewhere] });
  t.teardown(() => loop.stop());
  await system.pool.query(
    `INSERT INTO log_cursors (reader, partition, xid, position) VALUES ('restored', 0, '999999999999', 7)`,
  );
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'restored_elsewhere'), ['default restored_elsewhere:cluster']);
  await system.pool.query("UPDATE log_cursors SET xid = '0'; UPDATE log_clusters SET system_identifier = 'another'");
  await loop.runOnce();
  t.is((await alertsOf(system, 'restored_elsewhere'))[0]?.count, 2);
  await resetCursors(system);
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'restored_elsewhere'), []);
  await system.pool.query('UPDATE log_clusters SET timeline = 0');
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'restored_elsewhere'), ['default restored_elsewhere:timeline']);
  await resetCursors(system);
  await loop.runOnce();
  t.deepEqual(await openAlerts(system, 'restored_elsewhere'), []);
});
