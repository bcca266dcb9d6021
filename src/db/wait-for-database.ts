import { ConfigError } from '../config/setting.ts';
import { retryUntilDone, type RetryOptions } from '../retry-until.ts';
import { assertRowLevelSecurityBinds, type Db } from '../postgres/client.ts';
import { assertTablesAreFenced } from '../postgres/tenant-fence.ts';
import { isDatabaseAway } from '../postgres/errors.ts';
import { assertLogsAreOwn } from '../messaging/log/cluster-identity.ts';

// How PostgreSQL answers a session that asks for a role which is not there, or not the user's to take.
const INVALID_PARAMETER_VALUE = '22023';
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Waits until PostgreSQL answers. Throws a `ConfigError` that names the setting when PostgreSQL refuses the connection,
 * when the role bypasses row-level security or reaches a table that is open to every tenant, and when the logs are
 * another cluster's.
 */
export async function waitForDatabase(db: Db, options: Omit<RetryOptions, 'isTemporary'>): Promise<void> {
  await retryUntilDone(() => db.ping(), { ...options, isTemporary: isDatabaseAway }).catch((error: unknown) => {
    throw options.signal.aborted ? error : refusal(error);
  });
  await retryUntilDone(() => assertRowLevelSecurityBinds(db), { ...options, isTemporary: isDatabaseAway });
  await retryUntilDone(() => assertTablesAreFenced(db), { ...options, isTemporary: isDatabaseAway });
  await retryUntilDone(() => assertLogsAreOwn(db), { ...options, isTemporary: isDatabaseAway });
}

function refusal(error: unknown): ConfigError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const setting =
    code === INVALID_PARAMETER_VALUE || code === INSUFFICIENT_PRIVILEGE ? 'DATABASE_ROLE' : 'DATABASE_URL';
  return new ConfigError(`${setting}: PostgreSQL refuses it (${message})`);
}
