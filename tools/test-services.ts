import pg from 'pg';
import { serveKafka } from './kafka-on-demand.ts';
import { giveLogins } from './logins.ts';
import { migrate } from './migrate.ts';
import { step } from './provisioning.mjs';
import { startTemporaryPostgres } from './temporary-postgres.ts';
import { startTemporaryTemporal } from './temporary-temporal.ts';
import { testServerExecutable } from './test-server.mjs';

/** The database that each test file gets a copy of. */
const TEMPLATE = 'steadfast_template';

/** Starts what all test files share; `env` tells them where it is. */
export async function startTestServices({ isDurable = false } = {}): Promise<{
  env: Record<string, string>;
  stop: () => Promise<void>;
}> {
  const parts: { stop(): Promise<void> }[] = [];
  const stop = async () => void (await Promise.all(parts.map((part) => part.stop())));
  try {
    return await step('Starting PostgreSQL and Temporal for the tests', async () => {
      const kafka = await serveKafka();
      parts.push(kafka);
      const postgres = await startTemporaryPostgres({ isDurable });
      parts.push(postgres);
      await createTemplate(postgres.url);
      const temporal = await startTemporaryTemporal();
      parts.push(temporal);
      const env = {
        TEST_DATABASE_URL: postgres.url,
        TEST_DATABASE_TEMPLATE: TEMPLATE,
        TEST_TEMPORAL_ADDRESS: temporal.address,
        TEST_KAFKA_ON_DEMAND: kafka.url,
        TEST_TIME_SKIPPING_SERVER: testServerExecutable(),
      };
      return { env, stop };
    });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createTemplate(maintenanceUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    const url = new URL(maintenanceUrl);
    url.pathname = `/${TEMPLATE}`;
    await migrate({ databaseUrl: url.href });
    await giveLogins(url.href, () => decodeURIComponent(url.password));
    // A session on it would keep every copy from being made.
    await client.query(`ALTER DATABASE ${TEMPLATE} WITH ALLOW_CONNECTIONS false`);
  } finally {
    await client.end();
  }
}
