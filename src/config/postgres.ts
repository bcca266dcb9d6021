import { z } from 'zod';
import { integer, optional, port, type Setting } from './setting.ts';

/** Settings of PostgreSQL. */
export const postgresSettings = {
  DATABASE_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
        .optional(),
    ),
  ],
  MIGRATION_DATABASE_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
        .optional(),
    ),
  ],
  DATABASE_ROLE: ['steadfast_app', optional],
  DATABASE_POOL_SIZE: ['20', integer(2, 1000)],
  POSTGRES_PORT: ['54329', port],
} as const satisfies Record<string, Setting>;
