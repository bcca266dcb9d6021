import { readFile, readdir } from 'node:fs/promises';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { MigrationList, SchemaContainer, SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { catalogAdapter } from './catalog-adapter.ts';

const schemaFolder = new URL('../prisma/', import.meta.url);

/** Where the migrations are: one folder each, named `<timestamp>_<name>`, as Prisma's own tools have it. */
export const migrationsFolder = new URL('migrations/', schemaFolder);

/** No table or enum is managed outside the schema. */
export const noFilters = { externalTables: [], externalEnums: [] };

// TypeScript has these in its browser library alone.
// oxlint-disable-next-line no-shadow -- it declares the global itself
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ exports: Record<string, unknown> }>;
};

let started: Promise<void> | undefined;

// The package's entry imports its .wasm file as a module, which Node answers with a warning; so the bindings are
// started by hand.
function startBindings(): Promise<void> {
  started ??= (async () => {
    const entry = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
    const module = await WebAssembly.compile(await readFile(new URL('schema_engine_bg.wasm', entry)));
    const instance = await WebAssembly.instantiate(module, { './schema_engine_bg.js': { ...bindings } });
    bindings.__wbg_set_wasm(instance.exports);
    const start = instance.exports['__wbindgen_start'];
    if (typeof start !== 'function') throw new Error('@prisma/schema-engine-wasm has no __wbindgen_start');
    start();
  })();
  return started;
}

/** Runs `work` with Prisma's schema engine on a database, without the native binary that Prisma would download. */
export async function withSchemaEngine<Result>(
  databaseUrl: string,
  work: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  await startBindings();
  const datamodels = (await readSchema()).map(({ path, content }): [string, string] => [path, content]);
  const { adapter, close } = catalogAdapter(databaseUrl);
  const engine = await bindings.SchemaEngine.new(
    { datamodels },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(adapter),
  );
  try {
    return await work(engine);
  } catch (error) {
    throw new Error(withoutTrace(error), { cause: error });
  } finally {
    engine.free();
    await close();
  }
}

// The engine's messages end in places of its own source code.
function withoutTrace(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(/\n\s*0: /)[0] ?? message;
}

/** Reads the schema: every .prisma file of the schema folder, in the order of their names. */
export async function readSchema(): Promise<SchemaContainer[]> {
  const names = (await readdir(schemaFolder)).filter((name) => name.endsWith('.prisma')).toSorted();
  return Promise.all(
    names.map(async (path) => ({ path, content: await readFile(new URL(path, schemaFolder), 'utf8') })),
  );
}

/** Reads the migrations folder in the shape that the schema engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const entries = await readdir(migrationsFolder, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
  const lock = await readFile(new URL('migration_lock.toml', migrationsFolder), 'utf8').catch(() => null);
  return {
    baseDir: migrationsFolder.pathname,
    lockfile: { path: 'migration_lock.toml', content: lock },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (path) => {
        const value = await readFile(new URL(`${path}/migration.sql`, migrationsFolder), 'utf8');
        return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
      }),
    ),
  };
}
