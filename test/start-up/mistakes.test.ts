import pg from 'pg';
import test, { type ExecutionContext } from 'ava';
import { loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting.ts';
import { openDb } from '../../src/postgres/client.ts';
import { waitForDatabase } from '../../src/db/wait-for-database.ts';
import { grpcCodeOf } from '../../src/temporal/errors.ts';
import { ensureSchedules } from '../../src/temporal/schedules.ts';
import { temporalAt } from '../support/temporal.ts';
import { createDatabase } from '../support/services.ts';

const patience = { delayMs: 10, signal: new AbortController().signal };

async function asOwner(url: string, statements: string): Promise<void> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  await owner.query(statements);
  await owner.end();
}

async function mistake(
  t: ExecutionContext,
  { role, change = () => {}, before }: { role: string; change?: (url: URL) => void; before?: string },
): Promise<string> {
  const database = await createDatabase();
  if (before !== undefined) await asOwner(database.url, before);
  const url = new URL(database.url);
  change(url);
  const db = openDb({ url: url.href, role, poolSize: 1, applicationName: 'test' });
  t.teardown(async () => {
    await db.close();
    await database.drop();
  });
  return (await t.throwsAsync(waitForDatabase(db, patience), { instanceOf: ConfigError })).message;
}

test('a wrong role or database is named rather than waited for', async (t) => {
  t.regex(await mistake(t, { role: 'nobody' }), /^DATABASE_ROLE: [^\n]*nobody/);
  t.regex(
    await mistake(t, {
      role: 'steadfast_app',
      change: (url) => {
        url.pathname = '/nowhere';
      },
    }),
    /^DATABASE_URL: [^\n]*nowhere/,
  );
  t.regex(
    await mistake(t, {
      role: 'steadfast_app',
      change: (url) => {
        url.username = 'stranger';
      },
    }),
    /^DATABASE_URL: [^\n]*stranger/,
  );
});

test('a role that bypasses row-level security is refused', async (t) => {
  t.regex(await mistake(t, { role: 'postgres' }), /^DATABASE_ROLE: .*bypasses row-level security/);
});

for (const [what, before, told] of [
  [
    'with tenant_id and without its policy',
    'CREATE TABLE leaks (tenant_id text); GRANT SELECT ON leaks TO steadfast_app',
    /"leaks" has tenant_id/,
  ],
  ['whose policy is switched off', 'ALTER TABLE orders DISABLE ROW LEVEL SECURITY', /"orders" has tenant_id/],
  [
    'whose policy says nothing of the tenant',
    'DROP POLICY tenant_isolation ON users; CREATE POLICY tenant_isolation ON users USING (true)',
    /"users" has tenant_id/,
  ],
  ['with a second policy that opens it', 'CREATE POLICY open ON users USING (true)', /"users" has tenant_id/],
  [
    'without tenant_id and without a reason',
    'CREATE TABLE plain (id int); GRANT INSERT ON plain TO steadfast_app',
    /"plain" has no tenant_id/,
  ],
  [
    'that is a view on one with a tenant',
    'CREATE VIEW all_users AS SELECT * FROM users; GRANT SELECT ON all_users TO steadfast_app',
    /"all_users" has tenant_id/,
  ],
] as const) {
  test(`a table ${what} fails the start`, async (t) => {
    t.regex(await mistake(t, { role: 'steadfast_app', before }), told);
  });
}

test("grpcCodeOf reads what the worker's connection and a client over it throw", async (t) => {
  const { client, namespace, connect } = temporalAt(t);
  const connection = await connect();
  const absent = connection.workflowService.describeWorkerDeployment({ namespace, deploymentName: 'absent' });
  t.is(grpcCodeOf(await t.throwsAsync(absent)), 5);
  t.is(
    grpcCodeOf(await t.throwsAsync(client.connection.workflowService.describeNamespace({ namespace: 'absent' }))),
    5,
  );
});

for (const cron of ['a b c d e', '60 * * * *', '*/0 * * * *', '0 9-8 * * *', '0 0 * 13 *', '0 0 * * 8', '* * * *']) {
  test(`'${cron}' is refused by Temporal, in one line that names the setting`, async (t) => {
    const { client } = temporalAt(t);
    const config = loadConfig({ TASK_QUEUE: 'start-up-mistakes', PROFILE_CHECK_CRON: cron });
    const error = await t.throwsAsync(ensureSchedules(client, config), { instanceOf: ConfigError });
    t.regex(error.message, /^PROFILE_CHECK_CRON: [^\n]+$/);
    t.true(error.message.includes(`"${cron}"`));
  });
}
