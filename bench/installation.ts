import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { localKeys } from '../src/auth/local-keys.ts';
import { mintToken } from '../src/auth/tokens.ts';
import { loadConfig, type Config } from '../src/config/config.ts';
import { openDb, type Db } from '../src/postgres/client.ts';
import { startProcess, type TestProcess } from '../test/support/processes.ts';
import { createDatabase, freePort, temporalAddress } from '../test/support/services.ts';

/** A worker and an API of the product on a database of their own. */
export interface Installation {
  readonly db: Db;
  readonly config: Config;
  readonly temporal: Client;
  readonly api: TestProcess;
  /** Undefined in an installation whose Temporal is away. */
  readonly worker: TestProcess | undefined;
  readonly post: (path: string, body: object) => Promise<Record<string, unknown>>;
  readonly put: (path: string, body: object) => Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const NEVER = '0 0 1 1 *';

/** Starts an installation; with `isTemporalAway` the API alone, looking for Temporal where nothing listens. */
export async function install({
  isTemporalAway = false,
  settings = {},
  address: given,
}: { isTemporalAway?: boolean; settings?: Record<string, string>; address?: string } = {}): Promise<Installation> {
  const database = await createDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'steadfast-bench-'));
  const name = `bench-${randomUUID()}`;
  const address = given ?? (isTemporalAway ? `127.0.0.1:${await freePort()}` : temporalAddress());
  const env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: address,
    TASK_QUEUE: name,
    WORKER_DEPLOYMENT_NAME: name,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    RATE_LIMIT_PER_MINUTE: '1000000000',
    COMMAND_TIMEOUT_MS: '30000',
    PROFILE_CHECK_CRON: NEVER,
    SYNC_CHECK_CRON: NEVER,
    PROCESS_WATCH_CRON: NEVER,
    CLEANUP_CRON: NEVER,
    SYNC_CONFIRMATION_TIMEOUT_MS: '600000',
    ...settings,
  };
  const config = loadConfig(env);
  const worker = isTemporalAway ? undefined : startProcess('worker.ts', env);
  await worker?.answers(`http://127.0.0.1:${env.WORKER_PORT}/healthz`);
  const api = startProcess('server.ts', env);
  const url = `http://127.0.0.1:${env.PORT}`;
  await api.answers(`${url}/readyz`);
  const db = openDb({ url: database.url, role: config.DATABASE_ROLE, poolSize: 20, applicationName: 'bench' });
  const temporal = new Client({ connection: Connection.lazy({ address }) });
  const token = await mintToken(
    { role: 'admin', subject: 'bench', tenantId: 'default', ttl: '12h' },
    { config, keys: await localKeys(dataDir) },
  );
  const send = async (method: 'POST' | 'PUT', path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return typeof answer === 'object' && answer !== null ? { ...answer } : {};
  };
  return {
    db,
    config,
    temporal,
    api,
    worker,
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    close: async () => {
      await Promise.all([api.stop(), worker?.stop()]);
      await temporal.connection.close();
      await db.close();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
