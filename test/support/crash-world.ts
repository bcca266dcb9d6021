import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { openDb, type Db } from '../../src/postgres/client.ts';
import { insertUser } from '../../src/db/users/users.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { startProcess, type TestProcess } from './processes.ts';
import { createDatabase, freePort, temporalAddress } from './services.ts';

/** Tenant of every user of these tests. */
export const TENANT = 'default';

/** The services of a user who is to be synchronised. */
export const SERVICES = ['accounting', 'portfolio'] as const;

const NEVER = '0 0 1 1 *';

/** Registers what is to be stopped at the end of the test. */
export type Teardown = Pick<ExecutionContext, 'teardown'>;

/** What one process has beyond the settings of its world. */
export interface Extra {
  readonly preload?: URL;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it says that it is ready, when its port is its own. */
  readonly url?: string;
}

/**
 * An installation for one test: a database, settings and processes of its own, on a Temporal Service that may be
 * shared.
 */
export interface World {
  readonly db: Db;
  readonly temporal: Client;
  readonly env: Readonly<Record<string, string>>;
  readonly apiUrl: string;
  /** Resolves once the process is ready. */
  readonly startWorker: (extra?: Extra) => Promise<TestProcess>;
  readonly startApi: (extra?: Extra) => Promise<TestProcess>;
  /** Inserts a user and the start of one of its workflows (workflow outbox), as a registration does. */
  plant(user: {
    userId: string;
    workflow: 'profile' | 'userSync';
    deadline: Date;
    services: readonly string[];
  }): Promise<void>;
  /** Ends the leases and claims of killed processes at once, instead of 10 s after their death. */
  endLeases(): Promise<void>;
}

/** Makes a world; it ends with the test. */
export async function createWorld(
  t: Teardown,
  {
    settings = {},
    address = temporalAddress(),
    databaseUrl,
  }: { settings?: Readonly<Record<string, string>>; address?: string; databaseUrl?: string } = {},
): Promise<World> {
  const name = `crash-${randomUUID()}`;
  const database = databaseUrl === undefined ? await createDatabase() : { url: databaseUrl, drop: async () => {} };
  const dataDir = await mkdtemp(join(tmpdir(), 'steadfast-crash-'));
  const env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: address,
    TASK_QUEUE: name,
    WORKER_DEPLOYMENT_NAME: name,
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    WORKFLOW_TASK_TIMEOUT_MS: '3000',
    BUS_POLL_MS: '50',
    WORKER_SHUTDOWN_GRACE_MS: '2000',
    COMMAND_TIMEOUT_MS: '2000',
    REMINDER_HOUR: '',
    TIME_ZONE: 'UTC',
    SYNC_SERVICES: SERVICES.join(','),
    RATE_LIMIT_PER_MINUTE: '100000',
    PROFILE_CHECK_CRON: NEVER,
    SYNC_CHECK_CRON: NEVER,
    PROCESS_WATCH_CRON: NEVER,
    CLEANUP_CRON: NEVER,
    ...settings,
  };
  const db = openDb({ url: database.url, role: 'steadfast_app', poolSize: 5, applicationName: 'test-crash' });
  const connection = Connection.lazy({ address, connectTimeout: 1_000 });
  const running = new Set<TestProcess>();
  const start = async (entry: 'worker.ts' | 'server.ts', url: string, extra: Extra = {}) => {
    const child = startProcess(entry, { ...env, ...extra.env }, extra.preload);
    running.add(child);
    await child.answers(extra.url ?? url);
    return child;
  };
  t.teardown(async () => {
    await Promise.all([...running].map((child) => child.kill()));
    await connection.close();
    await db.close();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const apiUrl = `http://127.0.0.1:${env.PORT}`;
  return {
    db,
    env,
    apiUrl,
    temporal: new Client({ connection }),
    startWorker: (extra) => start('worker.ts', `http://127.0.0.1:${env.WORKER_PORT}/healthz`, extra),
    startApi: (extra) => start('server.ts', `${apiUrl}/healthz`, extra),
    plant: async ({ userId, workflow, deadline, services }) => {
      await insertUser(
        db.pool,
        {
          tenantId: TENANT,
          userId,
          authSubject: userId,
          email: `${userId}@example.com`,
          name: 'Ada',
          locale: 'en',
          phone: null,
          profileCompletionDeadline: deadline,
          remindersSettledUntil: new Date(0),
          services,
          defaultServices: false,
        },
        [
          {
            tenantId: TENANT,
            kind: 'start',
            input: { tenantId: TENANT, userId },
            ...(workflow === 'profile'
              ? { workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId) }
              : { workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId) }),
          },
        ],
      );
    },
    endLeases: async () => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query(`
        UPDATE leases SET expires_at = now(); UPDATE log_cursors SET lease_until = now();
        UPDATE pending_starts SET next_attempt_at = now()`);
      await client.end();
    },
  };
}
