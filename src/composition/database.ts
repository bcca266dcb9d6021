import { type Config } from '../config/config.ts';
import { ConfigError } from '../config/setting.ts';
import { openDb, type Db } from '../postgres/client.ts';

/** Opens the database that the settings name; a `ConfigError` when they name none. */
export function openDatabase(config: Config, processName: 'worker' | 'api'): Db {
  if (config.DATABASE_URL === undefined)
    throw new ConfigError('DATABASE_URL: a process on its own needs it (npm start provides it)');
  return openDb({
    url: config.DATABASE_URL,
    role: config.DATABASE_ROLE,
    poolSize: config.DATABASE_POOL_SIZE,
    applicationName: `steadfast-${processName}`,
  });
}
