import { missingFromMigrations } from './schema-diff.ts';
import { startTemporaryPostgres } from './temporary-postgres.ts';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const postgres = await startTemporaryPostgres();
let sql: string;
try {
  sql = await missingFromMigrations(postgres.url);
} finally {
  await postgres.stop();
}
if (sql !== '')
  console.error(`The migrations do not add up to the schema. Write one with: npm run migration -- <name>\n\n${sql}`);
// The schema engine leaves a timer behind that would hold the process for ten seconds.
process.exit(sql === '' ? 0 : 1);
