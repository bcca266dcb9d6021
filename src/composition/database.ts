import { type Config } from '../config/config.ts';
import { ConfigError } from '../config/setting.ts';
import { openDb, openSystemDb, type Db, type SystemDb } from '../postgres/client.ts';

/** Both ways into the database: the application's, for one tenant at a time, and that of what looks across tenants. */
export interface Databases {
  readonly db: Db;
  readonly system: SystemDb;
}

/** Opens the database by the log-ins that the settings name; a `ConfigError` when one is missing. */
export function openDatabases(config: Config, processName: 'worker' | 'api'): Databases {
  const { DATABASE_URL, SYSTEM_DATABASE_URL, DATABASE_POOL_SIZE, SYSTEM_DATABASE_POOL_SIZE } = config;
  if (DATABASE_URL === undefined)
    throw new ConfigError('DATABASE_URL: a process on its own needs it (npm start provides it)');
  if (SYSTEM_DATABASE_URL === undefined)
    throw new ConfigError(
      'SYSTEM_DATABASE_URL: a process on its own needs it, beside DATABASE_URL: the log-in steadfast_system of the ' +
        'same database (docs/operations.md, "Log-ins of the database", says what to type; npm start provides it)',
    );
  const applicationName = `steadfast-${processName}`;
  return {
    db: openDb({ url: DATABASE_URL, poolSize: DATABASE_POOL_SIZE, applicationName }),
    system: openSystemDb({ url: SYSTEM_DATABASE_URL, poolSize: SYSTEM_DATABASE_POOL_SIZE, applicationName }),
  };
}
