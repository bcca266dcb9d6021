import { randomBytes } from 'node:crypto';
import pg from 'pg';

export { freePort } from '../../tools/free-port.ts';

/** A database of one test file's own, with all migrations applied. */
export interface TestDatabase {
  /** The superuser's URL. */
  url: string;
  drop(): Promise<void>;
}

/** Makes a fresh database out of the migrated template. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(fromRunner('TEST_DATABASE_URL'));
  await maintain(`CREATE DATABASE ${name} TEMPLATE ${fromRunner('TEST_DATABASE_TEMPLATE')}`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => maintain(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The address of the dev server that all test files share; each names its task queue after itself. */
export function temporalAddress(): string {
  return fromRunner('TEST_TEMPORAL_ADDRESS');
}

/** A value that tools/test.ts gives to the tests. */
export function fromRunner(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: run this test with \`npm test -- <file>\`, which starts what it needs.`);
  return value;
}

async function maintain(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: fromRunner('TEST_DATABASE_URL') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
