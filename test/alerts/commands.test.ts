import test from 'ava';
import { acknowledgeAlert, listAlerts, resolveAlert } from '../../src/db/alerts/alert-commands.ts';
import { clearAlert, raiseAlert } from '../../src/db/alerts/raise-alert.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { createDatabase, openTestSystem, type TestDatabase } from '../support/services.ts';

const AT = new Date('2026-11-23T09:00:00Z');
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

function raise(key: string, tenantId = 'acme') {
  return system.acrossTenants((tx) =>
    raiseAlert(tx, { tenantId, kind: 'k', key, severity: 'warning', summary: 's', details: {} }, []),
  );
}

test('acknowledgeAlert keeps the first who did, and resolveAlert likewise', async (t) => {
  const { id } = await raise('both');
  const order = { tenantId: 'acme', id, at: AT };
  t.like(await system.acrossTenants((tx) => acknowledgeAlert(tx, { ...order, by: 'ann' })), { accepted: true });
  const again = await system.acrossTenants((tx) => acknowledgeAlert(tx, { ...order, by: 'bob' }));
  t.like(again.accepted && again.alert, { status: 'acknowledged', acknowledgedBy: 'ann' });
  await system.acrossTenants((tx) => resolveAlert(tx, { ...order, by: 'ann' }));
  const resolved = await system.acrossTenants((tx) => resolveAlert(tx, { ...order, by: 'bob' }));
  t.like(resolved.accepted && resolved.alert, { status: 'resolved', resolvedBy: 'ann', openKey: null });
  const late = await system.acrossTenants((tx) => acknowledgeAlert(tx, { ...order, by: 'bob' }));
  t.is(late.accepted ? undefined : late.refusal.code, 'alert_already_resolved');
});

test('an alert of another tenant is not found', async (t) => {
  const { id } = await raise('foreign', 'other');
  const outcome = await system.acrossTenants((tx) => resolveAlert(tx, { tenantId: 'acme', id, by: 'ann', at: AT }));
  t.is(outcome.accepted ? undefined : outcome.refusal.code, 'alert_not_found');
});

test('an acknowledged alert counts up when it is seen again, and a cleared one makes room for a new one', async (t) => {
  const first = await raise('again');
  await system.acrossTenants((tx) => acknowledgeAlert(tx, { tenantId: 'acme', id: first.id, by: 'ann', at: AT }));
  t.deepEqual(await raise('again'), { id: first.id, isNew: false });
  await system.acrossTenants((tx) => clearAlert(tx, { tenantId: 'acme', kind: 'k', key: 'again' }));
  t.true((await raise('again')).isNew);
});

test('listAlerts pages through what matches, newest first, once each', async (t) => {
  for (let n = 0; n < 5; n++) await raise(`${n}`, 'paged');
  const seen: string[] = [];
  let after: { firstSeenAt: Date; id: string } | undefined;
  for (;;) {
    const page = await system.acrossTenants((tx) =>
      listAlerts(tx, { tenantId: 'paged', status: 'open', kind: 'k', limit: 2, ...(after ? { after } : {}) }),
    );
    seen.push(...page.map(({ id }) => id));
    after = page.at(-1);
    if (page.length < 2) break;
  }
  t.is(new Set(seen).size, 5);
  t.is(seen.length, 5);
});
