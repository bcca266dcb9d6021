import pg from 'pg';
import type { DiffTarget } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { migrate } from './migrate.ts';
import { noFilters, readSchema, withSchemaEngine } from './schema-engine.ts';

/**
 * The SQL that a database made by the migrations alone still lacks; empty when they add up to the schema.
 * What Prisma does not model (row-level security, roles, functions, triggers) is not compared.
 */
export async function missingFromMigrations(emptyDatabaseUrl: string): Promise<string> {
  await migrate({ databaseUrl: emptyDatabaseUrl });
  const files = await readSchema();
  const from: DiffTarget = { tag: 'schemaDatasource', files, configDir: '' };
  const to: DiffTarget = { tag: 'schemaDatamodel', files };
  const { stdout } = await withSchemaEngine(emptyDatabaseUrl, (engine) =>
    engine.diff({ from, to, script: true, exitCode: null, filters: noFilters }),
  );
  return withoutExistingIndexes(stdout ?? '', emptyDatabaseUrl);
}

// Prisma writes the operator class of a B-tree index but does not read it back, and so would make the index again for
// ever.
async function withoutExistingIndexes(sql: string, databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ indexname: string; indexdef: string }>(
      'SELECT indexname, indexdef FROM pg_indexes',
    );
    const existing = new Map(rows.map((row) => [plain(row.indexdef), row.indexname]));
    const kept = new Set(
      [...sql.matchAll(/^CREATE (?:UNIQUE )?INDEX .*;$/gm)].map(([create]) => existing.get(plain(create))),
    );
    const parts = sql.split(/\n(?=-- )/).filter((part) => {
      const name = /^(?:DROP INDEX|CREATE (?:UNIQUE )?INDEX) "([^"]+)"/m.exec(part)?.[1];
      return name === undefined || !kept.has(name);
    });
    return parts.some((part) => /^(?!--)\s*\S/m.test(part)) ? parts.join('\n') : '';
  } finally {
    await client.end();
  }
}

function plain(definition: string): string {
  return definition.replaceAll(/"|public\.|USING btree|;|\s/g, '');
}
