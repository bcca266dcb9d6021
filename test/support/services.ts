import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDb, openSystemDb, type Db, type SystemDb } from '../../src/postgres/client.ts';
import { loginUrls, type LoginUrls } from '../../tools/logins.ts';

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

/** The URLs of both log-ins of a test's database, which have the superuser's password. */
export function testLogins(url: string): LoginUrls {
  return loginUrls(url, () => decodeURIComponent(new URL(url).password));
}

/** Opens a test's database, given the superuser's URL, as the application does. */
export function openTestDb(url: string, poolSize = 10): Db {
  return openDb({ url: testLogins(url).DATABASE_URL, poolSize, applicationName: 'test' });
}

/** Opens a test's database, given the superuser's URL, as what looks across tenants does. */
export function openTestSystem(url: string, poolSize = 10): SystemDb {
  return openSystemDb({ url: testLogins(url).SYSTEM_DATABASE_URL, poolSize, applicationName: 'test' });
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
