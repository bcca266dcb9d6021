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

async function mistake(
  t: ExecutionContext,
  { role, change = () => {} }: { role: string; change?: (url: URL) => void },
): Promise<string> {
  const database = await createDatabase();
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
