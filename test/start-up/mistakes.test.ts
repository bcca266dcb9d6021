import { randomBytes } from 'node:crypto';
import pg from 'pg';
import test, { type ExecutionContext } from 'ava';
import { loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting.ts';
import { openDb, openSystemDb } from '../../src/postgres/client.ts';
import { waitForDatabase } from '../../src/db/wait-for-database.ts';
import { grpcCodeOf } from '../../src/temporal/errors.ts';
import { ensureSchedules } from '../../src/temporal/schedules.ts';
import { temporalAt } from '../support/temporal.ts';
import { createDatabase, fromRunner, testLogins } from '../support/services.ts';

const patience = { delayMs: 10, signal: new AbortController().signal };

async function asOwner(url: string, statements: string): Promise<void> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  await owner.query(statements);
  await owner.end();
}

interface Urls {
  tenant: URL;
  system: URL;
}

async function mistake(
  t: ExecutionContext,
  { change = () => {}, before }: { change?: (urls: Urls, owner: URL) => void; before?: string },
): Promise<string> {
  const database = await createDatabase();
  if (before !== undefined) await asOwner(database.url, before);
  const { DATABASE_URL, SYSTEM_DATABASE_URL } = testLogins(database.url);
  const urls = { tenant: new URL(DATABASE_URL), system: new URL(SYSTEM_DATABASE_URL) };
  change(urls, new URL(database.url));
  const options = { poolSize: 1, applicationName: 'test' };
  const db = openDb({ url: urls.tenant.href, ...options });
  const system = openSystemDb({ url: urls.system.href, ...options });
  t.teardown(async () => {
    await Promise.all([db.close(), system.close()]);
    await database.drop();
  });
  return (await t.throwsAsync(waitForDatabase({ db, system }, patience), { instanceOf: ConfigError })).message;
}

test('a wrong database or log-in is named rather than waited for', async (t) => {
  for (const [setting, kind] of [
    ['DATABASE_URL', 'tenant'],
    ['SYSTEM_DATABASE_URL', 'system'],
  ] as const) {
    const nowhere = await mistake(t, { change: (urls) => void (urls[kind].pathname = '/nowhere') });
    t.regex(nowhere, new RegExp(`^${setting}: [^\\n]*nowhere`));
    const stranger = await mistake(t, { change: (urls) => void (urls[kind].username = 'stranger') });
    t.regex(stranger, new RegExp(`^${setting}: [^\\n]*stranger`));
  }
});

test('a log-in that is or can become more than it is for is refused, and told what to type', async (t) => {
  const asOwnerOf = (kind: keyof Urls) => ({ change: (urls: Urls, owner: URL) => void (urls[kind] = owner) });
  t.regex(await mistake(t, asOwnerOf('tenant')), /^DATABASE_URL: .*"postgres", which is a superuser.*ALTER ROLE/);
  t.regex(await mistake(t, asOwnerOf('system')), /^SYSTEM_DATABASE_URL: .*"postgres", which is a superuser/);
  const swapped = { change: (urls: Urls) => void ([urls.tenant, urls.system] = [urls.system, urls.tenant]) };
  t.regex(await mistake(t, swapped), /^DATABASE_URL: .*"steadfast_system", which/);
  for (const [rights, told] of [
    ['NOINHERIT IN ROLE steadfast_app', /can become steadfast_app/],
    ['IN ROLE steadfast_tenant, steadfast_system', /can become pg_read_all_stats, steadfast_system/],
    ['BYPASSRLS IN ROLE steadfast_tenant', /bypasses row-level security/],
    ['CREATEROLE IN ROLE steadfast_tenant', /may make roles/],
    ['', /has not the rights of steadfast_tenant/],
  ] as const) {
    const name = `login_${randomBytes(6).toString('hex')}`;
    t.teardown(() => asOwner(fromRunner('TEST_DATABASE_URL'), `DROP ROLE ${name}`));
    const change = ({ tenant }: Urls) => void ([tenant.username, tenant.password] = [name, 'secret']);
    t.regex(await mistake(t, { before: `CREATE ROLE ${name} LOGIN PASSWORD 'secret' ${rights}`, change }), told);
  }
  const owning = 'CREATE TABLE own (id int); ALTER TABLE own OWNER TO steadfast_tenant';
  t.regex(await mistake(t, { before: owning }), /^DATABASE_URL: .*owns tables/);
});

for (const [what, before, told] of [
  [
    'with tenant_id and without its policy',
    'CREATE TABLE leaks (tenant_id text); GRANT SELECT ON leaks TO steadfast_tenant',
    /"leaks" has tenant_id/,
  ],
  ['whose policy is switched off', 'ALTER TABLE orders DISABLE ROW LEVEL SECURITY', /"orders" has tenant_id/],
  [
    'whose policy says nothing of the tenant',
    'DROP POLICY one_tenant ON users; CREATE POLICY one_tenant ON users USING (true)',
    /"users" has tenant_id/,
  ],
  ['with a second policy that opens it', 'CREATE POLICY open ON users USING (true)', /"users" has tenant_id/],
  [
    'without tenant_id and without a reason',
    'CREATE TABLE plain (id int); GRANT INSERT ON plain TO steadfast_tenant',
    /"plain" has no tenant_id/,
  ],
  [
    'that is a view on one with a tenant',
    'CREATE VIEW all_users AS SELECT * FROM users; GRANT SELECT ON all_users TO steadfast_tenant',
    /"all_users" has tenant_id/,
  ],
] as const) {
  test(`a table ${what} fails the start`, async (t) => {
    t.regex(await mistake(t, { before }), told);
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
