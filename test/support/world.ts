import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { pino, type Logger } from 'pino';
import { loadConfig, type Config } from '../../src/config/config.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { tellOnFailure, type Scope } from './scope.ts';
import { createDatabase, freePort, openTestDb, openTestSystem, testLogins } from './services.ts';
import { temporalAt, type TestTemporal } from './temporal.ts';

const NEVER = '0 0 1 1 *';
const TOLD_LINES = 20;

/**
 * An installation of a test's own: a database, settings and a task queue, on a Temporal Service that may be shared.
 * What runs in it is added by parts: `runWorker` and `runApi` in this process, `spawnWorker` and `spawnApi` beside it.
 */
export interface World {
  readonly scope: Scope;
  /** The superuser's. */
  readonly databaseUrl: string;
  readonly db: Db;
  readonly system: SystemDb;
  /** The settings as processes take them. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  /** Where an API beside this process answers. */
  readonly apiUrl: string;
  readonly temporal: TestTemporal;
  readonly client: Client;
  /** Of what runs in this process; told with a failure. */
  readonly logger: Logger;
}

/** What a world has that others have not. */
export interface WorldOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** The shared dev server unless it is another. */
  readonly temporal?: TestTemporal;
  /** A database that the test looks after itself. */
  readonly databaseUrl?: string;
  readonly poolSize?: number;
}

/** Makes a world; everything in it ends with the scope. */
export async function createWorld(
  scope: Scope,
  { settings = {}, temporal = temporalAt(scope), databaseUrl, poolSize = 10 }: WorldOptions = {},
): Promise<World> {
  const url = databaseUrl ?? (await ownDatabase(scope));
  const name = `test-${randomUUID()}`;
  const env = {
    ...testLogins(url),
    TEMPORAL_ADDRESS: temporal.address,
    TASK_QUEUE: name,
    WORKER_DEPLOYMENT_NAME: name,
    DATA_DIR: await temporaryFolder(scope),
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '1000000000',
    PROFILE_CHECK_CRON: NEVER,
    SYNC_CHECK_CRON: NEVER,
    PROCESS_WATCH_CRON: NEVER,
    CLEANUP_CRON: NEVER,
    ...settings,
  };
  const config = loadConfig(env);
  const db = openTestDb(url, poolSize);
  scope.teardown(() => db.close());
  const system = openTestSystem(url, poolSize);
  scope.teardown(() => system.close());
  const apiUrl = `http://127.0.0.1:${config.PORT}`;
  const { client } = temporal;
  return { scope, databaseUrl: url, db, system, env, config, apiUrl, temporal, client, logger: quietLogger(scope) };
}

/** A folder that is gone with the scope. */
export async function temporaryFolder(scope: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'steadfast-'));
  scope.teardown(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

async function ownDatabase(scope: Scope): Promise<string> {
  const database = await createDatabase();
  scope.teardown(() => database.drop());
  return database.url;
}

/** Keeps the last warnings, for the case that a test fails. */
function quietLogger(scope: Scope): Logger {
  const lines: string[] = [];
  tellOnFailure(scope, () => lines.join(''));
  const write = (line: string): void => void lines.splice(0, lines.push(line) - TOLD_LINES);
  return pino({ level: 'warn' }, { write });
}
