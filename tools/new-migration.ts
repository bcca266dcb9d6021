import { mkdir, writeFile } from 'node:fs/promises';
import { migrationsFolder } from './schema-engine.ts';
import { missingFromMigrations } from './schema-diff.ts';
import { startTemporaryPostgres } from './temporary-postgres.ts';

const name = process.argv[2];
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: npm run migration -- <name of lower-case letters, digits and _>');
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const postgres = await startTemporaryPostgres();
let sql: string;
try {
  sql = await missingFromMigrations(postgres.url);
} finally {
  await postgres.stop();
}
if (sql === '') {
  console.log('The migrations already add up to the schema: nothing was written.');
} else {
  const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const folder = new URL(`${stamp}_${name}/`, migrationsFolder);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('migration.sql', folder), sql);
  await writeFile(new URL('migration_lock.toml', migrationsFolder), 'provider = "postgresql"\n');
  console.log(`Wrote prisma/migrations/${stamp}_${name}/migration.sql. Read it before you commit it.`);
}
// The schema engine leaves a timer behind that would hold the process for ten seconds.
process.exit();
