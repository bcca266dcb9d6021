import pg from 'pg';
import { noFilters, withSchemaEngine, readMigrations } from './schema-engine.ts';

// Prisma's engine locks with another number; ours also covers its reading of the migrations table.
const ADVISORY_LOCK = 7_348_201_155;

/**
 * Applies the migrations that the database does not have yet and returns their names. Safe to call from several
 * processes at once; the records in `_prisma_migrations` are those of `prisma migrate deploy`.
 */
export async function migrate({ databaseUrl }: { databaseUrl: string }): Promise<string[]> {
  const migrationsList = await readMigrations();
  const lock = new pg.Client({ connectionString: databaseUrl });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    const { appliedMigrationNames } = await withSchemaEngine(databaseUrl, (engine) =>
      engine.applyMigrations({ migrationsList, filters: noFilters }),
    );
    return appliedMigrationNames;
  } finally {
    await lock.end();
  }
}

if (import.meta.main) {
  const databaseUrl = process.env['DATABASE_URL'];
  if (!databaseUrl) {
    console.error(
      'npm run migrate: set DATABASE_URL to the database to migrate (npm start migrates its own by itself).',
    );
    process.exit(1);
  }
  const applied = await migrate({ databaseUrl });
  console.log(applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.join(', ')}.`);
  process.exit();
}
