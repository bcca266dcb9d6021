import { randomUUID } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { listOrders } from '../../src/db/orders/order-list.ts';
import { countOpenProcesses, nextOpenProcesses } from '../../src/db/processes/bulk-processes.ts';
import { listProcesses, placeInList } from '../../src/db/processes/process-list.ts';
import { lockProcesses, recordAttempt, writeProcesses } from '../../src/db/processes/process-rows.ts';
import { countUsers, nextUsers } from '../../src/db/users/bulk-users.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { createDatabase, openTestDb } from '../support/services.ts';
import { newOrder, NOW } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';

const database = await createDatabase();
const db = openTestDb(database.url, 2);
const superuser = new pg.Client({ connectionString: database.url });
await superuser.connect();

test.after.always(async () => {
  await db.close();
  await superuser.end();
  await database.drop();
});

const HOUR_MS = 3_600_000;

async function placeOrders(tenantId: string, number: number): Promise<string[]> {
  const ids = Array.from({ length: number }, () => randomUUID());
  for (const [n, orderId] of ids.entries())
    await insertOrder(db.pool, newOrder({ tenantId, orderId, now: NOW + n * HOUR_MS }));
  return ids;
}

/** Writes the process anew at a time, waiting for its delivery, or as it is. */
async function write(tenantId: string, processId: string, at: number, isMoved: boolean): Promise<void> {
  await rawTransaction(db.pool, tenantId, async (client) => {
    const locked = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
    if (locked === undefined) throw new Error('there is no process');
    const moved = isMoved ? { status: 'waiting' as const, currentStep: 'await_delivery' } : {};
    const state = { ...locked.state, ...moved, updatedAt: at };
    const { type, revision } = locked;
    const writes = [{ processId, type, state, revision: revision + 1, writer: 'test', events: [] }];
    await writeProcesses(client, { tenantId, writes });
  });
}

test('processes that have not moved since a time are listed by it; retries and writes move none', async (t) => {
  const tenantId = 'moves';
  const [first = '', second = '', third = ''] = await placeOrders(tenantId, 3);
  await write(tenantId, first, NOW + 4 * HOUR_MS, true);
  await write(tenantId, second, NOW + 9 * HOUR_MS, false);
  await rawTransaction(db.pool, tenantId, (client) =>
    recordAttempt(client, { tenantId, processId: third, attempts: 1, cause: null, retryAt: null }),
  );
  const filter = { updatedBefore: new Date(NOW + 5 * HOUR_MS).toISOString() };
  const page = (after?: { at: Date; id: string }) =>
    db.inTenant(tenantId, (tx) => listProcesses(tx, { tenantId, filter, after, limit: 2 }));
  const listed = await page();
  t.deepEqual(
    listed.map(({ processId }) => processId),
    [first, third],
  );
  const rest = await page(listed.slice(1).map((row) => placeInList(row, filter))[0]);
  t.deepEqual(
    rest.map(({ processId }) => processId),
    [second],
  );
  const before = { updatedBefore: new Date(NOW + 2 * HOUR_MS).toISOString() };
  t.is(await db.inTenant(tenantId, (tx) => countOpenProcesses(tx, { tenantId, filter: before })), 1);
});

test('an order of an API of the version before is in its customer’s list of a status', async (t) => {
  const tenantId = 'before';
  const [orderId = ''] = await placeOrders(tenantId, 1);
  await superuser.query('BEGIN');
  await superuser.query('CREATE TEMP TABLE old ON COMMIT DROP AS SELECT * FROM process_states WHERE process_id = $1', [
    orderId,
  ]);
  await superuser.query('DELETE FROM process_states WHERE process_id = $1', [orderId]);
  await superuser.query(`INSERT INTO process_states (tenant_id, process_id, process_type, workflow_id, status,
      current_step, data, history, sequence, started_at, updated_at)
    SELECT tenant_id, process_id, process_type, workflow_id, status, current_step, data, history, sequence, started_at,
      updated_at FROM old`);
  await superuser.query('COMMIT');
  const listed = await listOrders(db.pool, {
    tenantId,
    customerId: 'customer-1',
    status: 'created',
    after: null,
    limit: 10,
  });
  t.deepEqual(
    listed.map(({ id }) => id),
    [orderId],
  );
});

test('a bulk operation goes on where it was, and anew where only the version before knows where', async (t) => {
  const tenantId = 'bulk';
  const ids = await placeOrders(tenantId, 5);
  const filter = { status: 'running' as const };
  const next = (after: string | null) =>
    db.inTenant(tenantId, (tx) => nextOpenProcesses(tx, { tenantId, filter, after, limit: 2 }));
  const seen: string[] = [];
  let page = await next(null);
  while (page.end !== null) {
    seen.push(...page.processes.map(({ processId }) => processId));
    page = await next(page.end);
  }
  t.deepEqual(seen, ids);
  t.is(await db.inTenant(tenantId, (tx) => countOpenProcesses(tx, { tenantId, filter })), 5);
  const { processes } = await db.inTenant(tenantId, (tx) =>
    nextOpenProcesses(tx, { tenantId, filter, after: ids[3] ?? null, limit: 9 }),
  );
  t.is(processes.length, 5);
});

test('users of a filter are counted and found page by page, each once', async (t) => {
  const tenantId = 'users';
  for (let n = 0; n < 5; n += 1) await addCustomer(db, { tenantId, customerId: randomUUID() });
  const filter = { syncStatus: 'pending' as const };
  const first = await db.inTenant(tenantId, (tx) => nextUsers(tx, { tenantId, filter, after: null, limit: 3 }));
  const rest = await db.inTenant(tenantId, (tx) => nextUsers(tx, { tenantId, filter, after: first.end, limit: 3 }));
  t.is(new Set([...first.users, ...rest.users].map(({ id }) => id)).size, 5);
  t.is(await db.inTenant(tenantId, (tx) => countUsers(tx, { tenantId, filter })), 5);
});
