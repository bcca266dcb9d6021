import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import type { Db } from '../../src/postgres/client.ts';
import { runStatement, type Statement } from '../../src/postgres/statement.ts';
import { createDatabase, openTestDb } from '../support/services.ts';

async function setUp(t: ExecutionContext): Promise<Db> {
  const database = await createDatabase();
  const db = openTestDb(database.url, 2);
  t.teardown(async () => {
    await db.close();
    await database.drop();
  });
  return db;
}

const insert = (tenantId: string, messageId: string): Statement => ({
  name: 'insert',
  values: [tenantId, messageId],
  text: `INSERT INTO inbox_messages (tenant_id, consumer, message_id) VALUES ($1, 'test', $2)
    RETURNING message_id AS id`,
});
const LIST: Statement = {
  name: 'list',
  text: 'SELECT tenant_id, message_id AS id FROM inbox_messages ORDER BY tenant_id, message_id',
  values: [],
};

test('a statement sees and writes the rows of its tenant alone, also where others shared the connection', async (t) => {
  const { pool } = await setUp(t);
  for (const id of ['1', '2']) {
    for (const tenant of ['acme', 'other']) t.deepEqual(await runStatement(pool, tenant, insert(tenant, id)), [{ id }]);
  }
  t.deepEqual(await runStatement(pool, 'acme', LIST), [
    { tenant_id: 'acme', id: '1' },
    { tenant_id: 'acme', id: '2' },
  ]);
  t.is((await runStatement(pool, '*', LIST)).length, 0, 'no tenant is all of them');
  await t.throwsAsync(runStatement(pool, 'acme', insert('other', '3')), { message: /row-level security/ });
  t.deepEqual((await pool.query('SELECT FROM inbox_messages')).rows, [], 'the setting outlived its statement');
});

test('a statement that fails leaves nothing, and nothing behind', async (t) => {
  const { pool } = await setUp(t);
  await runStatement(pool, 'acme', insert('acme', '1'));
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await t.throwsAsync(runStatement(pool, 'acme', insert('acme', '1')), { message: /duplicate key/ });
    await t.throwsAsync(runStatement(pool, 'acme', { name: 'nonsense', text: 'SELECT nothing', values: [] }), {
      message: /does not exist/,
    });
  }
  await runStatement(pool, 'acme', insert('acme', '2'));
  t.is((await runStatement(pool, 'acme', LIST)).length, 2);
});

test('a statement whose connection breaks fails', async (t) => {
  const { pool } = await setUp(t);
  const {
    rows: [backend],
  } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const slow = runStatement(pool, 'acme', { name: 'slow', text: 'SELECT pg_sleep(60)', values: [] });
  const superuser = new pg.Client({ connectionString: pool.options.connectionString });
  await superuser.connect();
  await superuser.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
  await superuser.end();
  await t.throwsAsync(slow);
  t.deepEqual(await runStatement(pool, 'acme', LIST), []);
});
