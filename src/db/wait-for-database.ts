import { ConfigError } from '../config/setting.ts';
import { retryUntilDone, type RetryOptions } from '../retry-until.ts';
import type { Db, SystemDb } from '../postgres/client.ts';
import { assertLoginsAreBound } from '../postgres/logins.ts';
import { assertTablesAreFenced } from '../postgres/tenant-fence.ts';
import { isDatabaseAway } from '../postgres/errors.ts';
import { assertLogsAreOwn } from '../messaging/log/cluster-identity.ts';

/**
 * Waits until PostgreSQL answers. Throws a `ConfigError` that names the setting when PostgreSQL refuses the connection,
 * when a log-in can become more than it is to be or reaches a table that is open to every tenant, and when the logs are
 * another cluster's.
 */
export async function waitForDatabase(
  { db, system }: { readonly db: Db; readonly system: SystemDb },
  options: Omit<RetryOptions, 'isTemporary'>,
): Promise<void> {
  const retry = { ...options, isTemporary: isDatabaseAway };
  for (const [setting, access] of [
    ['DATABASE_URL', db],
    ['SYSTEM_DATABASE_URL', system],
  ] as const)
    await retryUntilDone(() => access.ping(), retry).catch((error: unknown) => {
      throw options.signal.aborted ? error : refusal(setting, error);
    });
  await retryUntilDone(() => assertLoginsAreBound({ db, system }), retry);
  await retryUntilDone(() => assertTablesAreFenced(db), retry);
  await retryUntilDone(() => assertLogsAreOwn(system), retry);
  // A client's first transaction compiles its engine, for seconds on a busy machine: before a request waits for it.
  for (const access of [db, system]) await retryUntilDone(() => access.warm(), retry);
}

function refusal(setting: string, error: unknown): ConfigError {
  const message = error instanceof Error ? error.message : String(error);
  return new ConfigError(`${setting}: PostgreSQL refuses it (${message})`);
}
