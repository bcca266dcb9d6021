import { z } from 'zod';
import { integer, optional, port, type Setting } from './setting.ts';

const postgresUrl = [
  '',
  optional.pipe(
    z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
      .optional(),
  ),
] as const satisfies Setting;

/** Settings of PostgreSQL. */
export const postgresSettings = {
  DATABASE_URL: postgresUrl,
  SYSTEM_DATABASE_URL: postgresUrl,
  MIGRATION_DATABASE_URL: postgresUrl,
  DATABASE_POOL_SIZE: ['20', integer(2, 1000)],
  SYSTEM_DATABASE_POOL_SIZE: ['10', integer(2, 1000)],
  POSTGRES_PORT: ['54329', port],
} as const satisfies Record<string, Setting>;
