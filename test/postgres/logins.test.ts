import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { createDatabase, testLogins } from '../support/services.ts';

/** Two tenants with a user, an alert and counts each; connections as somebody has them who can run SQL of his own. */
async function setUp(t: ExecutionContext): Promise<Record<'owner' | 'tenant' | 'system', pg.Client>> {
  const database = await createDatabase();
  const urls = testLogins(database.url);
  const clients = {
    owner: new pg.Client({ connectionString: database.url }),
    tenant: new pg.Client({ connectionString: urls.DATABASE_URL }),
    system: new pg.Client({ connectionString: urls.SYSTEM_DATABASE_URL }),
  };
  await Promise.all(Object.values(clients).map((client) => client.connect()));
  t.teardown(async () => {
    await Promise.all(Object.values(clients).map((client) => client.end()));
    await database.drop();
  });
  await clients.owner.query(`
    INSERT INTO users (tenant_id, id, auth_subject, email)
      SELECT t, gen_random_uuid(), 'subject', 'a@example.com' FROM unnest(ARRAY['acme', 'other']) AS t;
    INSERT INTO outgoing_messages (tenant_id, message_id, topic, key, partition, payload)
      VALUES ('acme', 'm', 't', 'k', 0, '{}')`);
  return clients;
}

const ACME = `SET steadfast.tenant = 'acme'`;

test("SQL that is slipped in becomes nobody else, and changes or makes nothing of the owner's", async (t) => {
  const { tenant } = await setUp(t);
  await tenant.query('SET ROLE NONE; RESET ROLE; RESET SESSION AUTHORIZATION');
  t.deepEqual((await tenant.query('SELECT session_user::text AS a, current_user::text AS b')).rows, [
    { a: 'steadfast_tenant', b: 'steadfast_tenant' },
  ]);
  await tenant.query(ACME);
  for (const statement of [
    'SET ROLE postgres',
    'SET ROLE steadfast_app',
    'SET ROLE steadfast_system',
    'SET ROLE steadfast_bus_member',
    'SET ROLE pg_read_all_data',
    'SET SESSION AUTHORIZATION postgres',
    'GRANT steadfast_system TO steadfast_tenant',
    'ALTER ROLE steadfast_tenant BYPASSRLS',
    'CREATE ROLE mine',
    'CREATE TABLE mine (id int)',
    'CREATE SCHEMA mine',
    'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
    'ALTER TABLE users DISABLE ROW LEVEL SECURITY',
    'DROP POLICY one_tenant ON users',
    'TRUNCATE users',
    `SELECT pg_read_file('/etc/passwd')`,
    `COPY (SELECT 1) TO PROGRAM 'true'`,
    `SELECT recount_users()`,
    `SELECT add_to_count('acme', 'users', 'x', 1)`,
    `SELECT forget_answers('other', '{}')`,
    ...['ledger_transfers', 'process_events', 'outgoing_messages', 'bus_messages'].flatMap((table) => [
      `UPDATE ${table} SET tenant_id = tenant_id`,
      `DELETE FROM ${table}`,
    ]),
    'SELECT FROM log_cursors',
    'DELETE FROM log_clusters',
    'SELECT FROM _prisma_migrations',
    `INSERT INTO outgoing_messages (tenant_id, message_id, topic, key, partition, payload, xid)
      VALUES ('acme', 'x', 't', 'k', 0, '{}', '9999999999')`,
    `INSERT INTO users (tenant_id, id, auth_subject, email) VALUES ('other', gen_random_uuid(), 's', 'b@example.com')`,
    `INSERT INTO leases (name, owner, expires_at) VALUES ('alerts', 'me', 'infinity')`,
  ])
    t.like(await t.throwsAsync(tenant.query(statement), undefined, statement), { code: '42501' }, statement);
});

test('the application sees the tenant that it named, and no name is that of all', async (t) => {
  const { tenant } = await setUp(t);
  const seen = async () => (await tenant.query('SELECT tenant_id FROM users')).rows;
  t.deepEqual(await seen(), []);
  for (const name of ['*', '', '%', 'acme,other']) {
    await tenant.query(`SELECT set_config('steadfast.tenant', $1, false)`, [name]);
    t.deepEqual(await seen(), [], name);
    t.is((await tenant.query('SELECT FROM row_counts')).rowCount, 0, name);
    await t.throwsAsync(tenant.query(`SELECT forget_answers('other', '{}')`), { message: /not the tenant/ }, name);
  }
  await tenant.query(ACME);
  t.deepEqual(await seen(), [{ tenant_id: 'acme' }]);
  t.is((await tenant.query(`UPDATE users SET tenant_id = 'acme' WHERE tenant_id = 'other'`)).rowCount, 0);
});

test('what looks across tenants sees all of them, and is no superuser either', async (t) => {
  const { system } = await setUp(t);
  t.is((await system.query('SELECT FROM users')).rowCount, 2);
  for (const statement of [
    'SET ROLE postgres',
    'SET ROLE steadfast_tenant',
    'CREATE TABLE mine (id int)',
    `SELECT pg_read_file('/etc/passwd')`,
    'UPDATE ledger_transfers SET amount_minor = 1',
    'DELETE FROM process_events',
  ])
    t.like(await t.throwsAsync(system.query(statement), undefined, statement), { code: '42501' }, statement);
});

test('a process of the version before works on beside the new ones, as its own role', async (t) => {
  const { owner } = await setUp(t);
  await owner.query(`SET ROLE steadfast_app; SET steadfast.tenant = '*'`);
  t.is((await owner.query('SELECT FROM users')).rowCount, 2);
  await owner.query('SELECT recount_users()');
  t.is((await owner.query('DELETE FROM outgoing_messages')).rowCount, 1);
  await owner.query(`INSERT INTO pending_starts (tenant_id, kind, workflow_type, workflow_id)
    VALUES ('acme', 'start', 't', 'w')`);
});
