import test from 'ava';
import pg from 'pg';
import { LOGS } from '../../src/db/logs.ts';
import { PROCESS_ERASURES } from '../../src/maintenance/retention/erase-processes.ts';
import { ERASURES } from '../../src/maintenance/retention/erase-users.ts';
import { EXPIRED_ROWS } from '../../src/maintenance/retention/retention.ts';
import { createDatabase } from '../support/services.ts';

// Whoever adds a table with a tenant says here what keeps it from growing for ever and what keeps people out of it: a
// line of EXPIRED_ROWS, LOGS, ERASURES or PROCESS_ERASURES, or the reason why it needs none.
const BOOKS = 'the books of the business, which the law wants kept';
const NEVER_EXPIRES: Readonly<Record<string, string>> = {
  pending_starts: 'a queue: a call goes when it is carried out or parked',
  pending_erasures: 'a queue: a process goes when what was typed about it is removed',
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
  routing_slip_legs: 'goes with its slip',
  routing_slip_users: 'goes with its slip',
};

const ONLY_IDS = 'names a user by its id alone, which means nothing once the user is anonymised';
const CUSTOMERS = 'names customers, who are companies, and no users';
const NOBODY = 'names nobody';
const NEEDS_NO_ERASURE: Readonly<Record<string, string>> = {
  pending_starts: 'a queue: what a call says goes with it',
  pending_erasures: ONLY_IDS,
  routing_slip_users: ONLY_IDS,
  inbox_messages: ONLY_IDS,
  payments: CUSTOMERS,
  ledger_transfers: CUSTOMERS,
  credit_accounts: CUSTOMERS,
  former_users: 'a hash, which names nobody without its key',
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
    ARRAY(SELECT p.polroles::regrole[]::text || ' ' || pg_get_expr(p.polqual, c.oid) || ' '
        || coalesce(pg_get_expr(p.polwithcheck, c.oid), pg_get_expr(p.polqual, c.oid))
      FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
        AND p.polroles && ARRAY['steadfast_tenant', 'steadfast_system']::regrole[]::oid[] ORDER BY 1) AS policies
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`;

test('each table with a tenant is guarded, expires or says why not, and is in erasure or says why not', async (t) => {
  const tables = await catalogue<{ name: string; isGuarded: boolean; policies: string[] }>(TENANT_TABLES);
  t.true(tables.length > 20);
  const lists = {
    'has a place in retention': { ...EXPIRED_ROWS, ...Object.fromEntries(LOGS.map(({ table }) => [table, ''])) },
    'has a place in erasure': { ...ERASURES, ...PROCESS_ERASURES },
  };
  const excuses = { 'has a place in retention': NEVER_EXPIRES, 'has a place in erasure': NEEDS_NO_ERASURE };
  const ofTenant = "(tenant_id = current_setting('steadfast.tenant'::text, true))";
  for (const { name, isGuarded, policies } of tables) {
    t.true(isGuarded, name);
    t.deepEqual(policies, ['{steadfast_system} true true', `{steadfast_tenant} ${ofTenant} ${ofTenant}`], name);
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

const EVERYTHING = 'DELETE INSERT SELECT UPDATE';
// What one of the roles may do less than everything; `system` is what it is for the tenants' role where it is left out.
const RIGHTS: Readonly<Record<string, { tenant: string; system?: string }>> = {
  ledger_transfers: { tenant: 'INSERT SELECT' },
  process_events: { tenant: 'INSERT SELECT' },
  // It may name the columns that are its own, and no place in the log.
  outgoing_messages: { tenant: 'SELECT', system: EVERYTHING },
  bus_messages: { tenant: 'SELECT', system: EVERYTHING },
  row_counts: { tenant: 'SELECT' },
  pending_erasures: { tenant: 'INSERT SELECT', system: 'DELETE INSERT SELECT' },
  log_cursors: { tenant: '', system: EVERYTHING },
  former_users: { tenant: 'INSERT SELECT UPDATE', system: 'DELETE SELECT' },
  log_clusters: { tenant: '', system: EVERYTHING },
  _prisma_migrations: { tenant: '' },
};

test('each table is open to both roles, or closed on purpose', async (t) => {
  const rightsOf = (role: string) =>
    `array_to_string(ARRAY(SELECT kind FROM unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'UPDATE', 'TRUNCATE', 'TRIGGER'])
      AS kind WHERE has_table_privilege('${role}', c.oid, kind)), ' ')`;
  const tables = await catalogue<{ name: string; tenant: string; system: string }>(`
    SELECT c.relname AS name, ${rightsOf('steadfast_tenant')} AS tenant, ${rightsOf('steadfast_system')} AS system
    FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`);
  for (const { name, ...rights } of tables) {
    const { tenant, system = tenant } = RIGHTS[name] ?? { tenant: EVERYTHING };
    t.deepEqual(rights, { tenant, system }, `${name}: what its migration grants (docs/adding-a-domain.md)`);
  }
});

test('of what was said the clean-up may take the words of people out, and nobody may change the rest', async (t) => {
  const open = await catalogue(`
    SELECT role, c.relname AS table, a.attname AS column FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    CROSS JOIN unnest(ARRAY['steadfast_tenant', 'steadfast_system']) AS role
    WHERE c.relname IN ('process_events', 'ledger_transfers')
      AND has_column_privilege(role, c.oid, a.attnum, 'UPDATE')`);
  t.deepEqual(open, [{ role: 'steadfast_system', table: 'process_events', column: 'detail' }]);
});

test('what a role may insert into it can number: both may use each sequence', async (t) => {
  const closed = await catalogue(`
    SELECT c.relname FROM pg_class AS c CROSS JOIN unnest(ARRAY['steadfast_tenant', 'steadfast_system']) AS role
    WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace
      AND NOT has_sequence_privilege(role, c.oid, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'i')`);
  t.deepEqual(closed, []);
});

test("nothing new is open, and of functions that act as the owner one is the application's to call", async (t) => {
  const open = await catalogue(`
    SELECT FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS a
    WHERE d.defaclobjtype IN ('r', 'S', 'f') AND a.grantee <> d.defaclrole`);
  t.is(open.length, 0);
  const callable = await catalogue(`
    SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
      AND p.prorettype <> 'trigger'::regtype AND has_function_privilege('steadfast_tenant', p.oid, 'EXECUTE')`);
  // It asks for the tenant of the transaction itself.
  t.deepEqual(callable, [{ proname: 'forget_answers' }]);
});
