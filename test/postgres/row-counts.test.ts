import { randomUUID } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { repairCounts, rowCounts } from '../../src/db/row-counts.ts';
import { countBySync } from '../../src/db/users/user-counts.ts';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { lockProcesses, writeProcesses } from '../../src/db/processes/process-rows.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';
import { newOrder, NOW } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';

const database = await createDatabase();
const db = openTestDb(database.url, 10);
const system = openTestSystem(database.url);
const superuser = new pg.Client({ connectionString: database.url });
await superuser.connect();

test.after.always(async () => {
  await Promise.all([db.close(), system.close()]);
  await superuser.end();
  await database.drop();
});

const addUsers = (tenantId: string, number: number): Promise<unknown> =>
  Promise.all(Array.from({ length: number }, () => addCustomer(db, { tenantId, customerId: randomUUID() })));

test.serial('counts are exact though users are written at once, waited for by nobody, and rolled back', async (t) => {
  await Promise.all([addUsers('acme', 20), addUsers('other', 5)]);
  await superuser.query('BEGIN');
  await superuser.query(`UPDATE users SET sync_status = 'failed' WHERE tenant_id = 'acme'`);
  await addUsers('other', 5); // though every count of an open transaction is locked
  await superuser.query('ROLLBACK');
  await superuser.query(`UPDATE users SET sync_status = 'synced' WHERE tenant_id = 'other'`);
  await superuser.query(`DELETE FROM users WHERE ctid IN (SELECT ctid FROM users WHERE tenant_id = 'acme' LIMIT 3)`);
  t.deepEqual(await db.inTenant('acme', (tx) => countBySync(tx, 'acme')), { pending: 17 });
  t.deepEqual(await db.inTenant('other', (tx) => countBySync(tx, 'other')), { synced: 10 });
  t.deepEqual(await db.inTenant('acme', (tx) => countBySync(tx, 'other')), {}, 'another tenant can be counted');
  t.deepEqual(await repairCounts(system.pool), []);
});

test.serial('a count that is not what the rows say is repaired, and said', async (t) => {
  await superuser.query(`UPDATE row_counts SET count = count + 2 WHERE tenant_id = 'acme' AND counted = 'users'
    AND slot = (SELECT min(slot) FROM row_counts WHERE tenant_id = 'acme' AND counted = 'users')`);
  const [repair, ...others] = await repairCounts(system.pool);
  t.like(repair, { counted: 'users', tenantId: 'acme', difference: -2 });
  t.deepEqual(others, []);
  t.deepEqual(await repairCounts(system.pool), []);
});

test.serial('the application can not write counts itself', async (t) => {
  await t.throwsAsync(
    rawTransaction(db.pool, 'acme', (client) => client.query('UPDATE row_counts SET count = 0')),
    { message: /permission denied/ },
  );
  t.true((await db.inTenant('acme', (tx) => rowCounts(tx, { tenantId: 'acme', counted: 'users' }))).length > 0);
});

test.serial('a write of a process that changes neither status nor step writes no index', async (t) => {
  const { orderId, tenantId } = newOrder({ tenantId: 'acme' });
  await insertOrder(db.pool, newOrder({ tenantId, orderId }));
  const hotWrites = async (): Promise<number> => {
    const { rows } = await superuser.query<{ hot: number }>(
      `SELECT n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'process_states'`,
    );
    return rows[0]?.hot ?? 0;
  };
  const before = await hotWrites();
  await rawTransaction(db.pool, tenantId, async (client) => {
    const locked = (await lockProcesses(client, { tenantId, processIds: [orderId] })).get(orderId);
    if (locked === undefined) throw new Error('there is no process');
    const state = { ...locked.state, updatedAt: NOW + 1, sequence: locked.state.sequence + 1 };
    const write = { processId: orderId, type: locked.type, state, revision: 1, writer: 'test', events: [] };
    await writeProcesses(client, { tenantId, writes: [write] });
    await client.query('SELECT pg_stat_force_next_flush()');
  });
  await superuser.query('SELECT pg_stat_clear_snapshot()');
  t.is(await hotWrites(), before + 1);
});
