import pg from 'pg';
import type { Bus } from '../../src/messaging/bus.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { createDatabase, fromRunner, openTestDb, openTestSystem } from '../support/services.ts';
import type { BusHarness } from './contract.ts';

/** The PostgreSQL bus with short intervals. */
export function openTestBus(system: SystemDb): Bus {
  return createPostgresBus({
    pool: system.pool,
    park: parkInDeadLetters(system),
    partitions: 4,
    pollMs: 50,
    retryDelaysMs: [10, 20],
    leaseMs: 1_500,
  });
}

/** Connects in a process of its own; see consumer-process.ts. */
export function connectInProcess(): { bus: Bus; db: Db } {
  const url = fromRunner('BUS_DATABASE_URL');
  return { db: openTestDb(url), bus: openTestBus(openTestSystem(url)) };
}

/** A database of one test's own, and buses on it. */
export async function createPostgresHarness(): Promise<BusHarness> {
  const database = await createDatabase();
  const db = openTestDb(database.url);
  const system = openTestSystem(database.url, 10);
  const buses: Bus[] = [];
  return {
    db,
    system,
    url: database.url,
    connect: () => {
      const bus = openTestBus(system);
      buses.push(bus);
      return bus;
    },
    stopBroker: () =>
      maintain(database.url, (name) => [
        `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
      ]),
    startBroker: () => maintain(database.url, (name) => [`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`]),
    processModule: import.meta.url,
    processEnv: { BUS_DATABASE_URL: database.url },
    close: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await Promise.all([db.close(), system.close()]);
      await database.drop();
    },
  };
}

async function maintain(url: string, statements: (database: string) => string[]): Promise<void> {
  const client = new pg.Client({ connectionString: fromRunner('TEST_DATABASE_URL') });
  await client.connect();
  try {
    for (const statement of statements(new URL(url).pathname.slice(1))) await client.query(statement);
  } finally {
    await client.end();
  }
}
