import test from 'ava';
import pg from 'pg';
import { LOGS } from '../../src/db/logs.ts';
import { ERASURES } from '../../src/maintenance/retention/erase-users.ts';
import { EXPIRED_ROWS } from '../../src/maintenance/retention/retention.ts';
import { createDatabase } from '../support/services.ts';

// Whoever adds a table with a tenant says here what keeps it from growing for ever and what keeps people out of it: a
// line of EXPIRED_ROWS, LOGS or ERASURES, or the reason why it needs none.
const BOOKS = 'the books of the business, which the law wants kept';
const NEVER_EXPIRES: Readonly<Record<string, string>> = {
  pending_starts: 'a queue: a call goes when it is carried out or parked',
  users: 'an account lasts until it is deleted, and its anonymised row tells that it was',
  user_sync_services: 'goes with its user',
  products: 'the catalogue',
  orders: BOOKS,
  order_items: BOOKS,
  reservations: BOOKS,
  payments: BOOKS,
  ledger_transfers: BOOKS,
  credit_accounts: BOOKS,
  shipments: BOOKS,
  refunds: BOOKS,
  settlements: BOOKS,
  process_states: BOOKS,
  process_events: BOOKS,
  row_counts: 'sums of other tables, a few for each tenant',
};

const AT_DELETION = 'in the transaction that deletes the user';
const ONLY_IDS = 'names a user by its id alone, which means nothing once the user is anonymised';
const CUSTOMERS = 'names customers, who are companies, and no users';
const NOBODY = 'names nobody';
const NEEDS_NO_ERASURE: Readonly<Record<string, string>> = {
  users: AT_DELETION,
  user_sync_services: AT_DELETION,
  idempotency_keys: AT_DELETION,
  pending_starts: ONLY_IDS,
  inbox_messages: ONLY_IDS,
  alerts: ONLY_IDS,
  process_states: ONLY_IDS,
  process_events: ONLY_IDS,
  payments: CUSTOMERS,
  ledger_transfers: CUSTOMERS,
  credit_accounts: CUSTOMERS,
  products: NOBODY,
  row_counts: NOBODY,
  order_items: NOBODY,
  reservations: NOBODY,
  shipments: NOBODY,
  refunds: NOBODY,
  settlements: NOBODY,
};

/** Asks the catalogue of a migrated database. */
async function catalogue<Row extends pg.QueryResultRow>(query: string): Promise<Row[]> {
  const database = await createDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Row>(query)).rows;
  } finally {
    await client.end();
    await database.drop();
  }
}

const TENANT_TABLES = `
  SELECT c.relname AS name, c.relrowsecurity AS "isGuarded",
    EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation') AS "hasPolicy"
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`;

test('each table with a tenant is guarded, expires or says why not, and is in erasure or says why not', async (t) => {
  const tables = await catalogue<{ name: string; isGuarded: boolean; hasPolicy: boolean }>(TENANT_TABLES);
  t.true(tables.length > 20);
  const lists = {
    'has a place in retention': { ...EXPIRED_ROWS, ...Object.fromEntries(LOGS.map(({ table }) => [table, ''])) },
    'has a place in erasure': ERASURES,
  };
  const excuses = { 'has a place in retention': NEVER_EXPIRES, 'has a place in erasure': NEEDS_NO_ERASURE };
  for (const { name, isGuarded, hasPolicy } of tables) {
    t.true(isGuarded && hasPolicy, `${name} has the policy tenant_isolation`);
    for (const rule of ['has a place in retention', 'has a place in erasure'] as const) {
      const places = [lists[rule], excuses[rule]].filter((list) => name in list);
      t.is(places.length, 1, `${name} ${rule}, or one excuse (test/maintenance/tables.test.ts)`);
    }
  }
  const names = new Set(tables.map(({ name }) => name));
  for (const list of [...Object.values(lists), ...Object.values(excuses)])
    for (const name of Object.keys(list)) t.true(names.has(name), `${name} is a table with a tenant`);
});

test('a table without a tenant says why in its comment, and there are three', async (t) => {
  const tables = await catalogue<{ name: string; reason: string | null }>(`
    SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS reason FROM pg_class AS c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> '_prisma_migrations'
      AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
    ORDER BY c.relname`);
  t.deepEqual(
    tables.map(({ name }) => name),
    ['leases', 'log_clusters', 'log_cursors'],
  );
  for (const { name, reason } of tables) t.regex(reason ?? '', /^no tenant: ./, name);
});

test('the application changes and deletes neither transfers nor events, and no new table is open to it', async (t) => {
  const [rights] = await catalogue<Record<string, boolean>>(`
    SELECT ${['ledger_transfers', 'process_events']
      .flatMap((table) =>
        ['UPDATE', 'DELETE', 'TRUNCATE'].map(
          (right) => `has_table_privilege('steadfast_app', '${table}', '${right}')
            OR has_any_column_privilege('steadfast_app', '${table}', 'UPDATE') AS "${right} ${table}"`,
        ),
      )
      .join(', ')}`);
  for (const [right, isHeld] of Object.entries(rights ?? {})) t.false(isHeld, right);
  t.is(Object.keys(rights ?? {}).length, 6);
  const open = await catalogue(`
    SELECT FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS a
    WHERE d.defaclobjtype = 'r' AND a.grantee = 'steadfast_app'::regrole`);
  t.is(open.length, 0);
});
