import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { ExecutionContext } from 'ava';
import { pino } from 'pino';
import { createActivities } from '../../src/activities/create-activities.ts';
import { createWorker } from '../../src/composition/worker.ts';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { openDb, type Db } from '../../src/postgres/client.ts';
import type { User } from '../../src/postgres/generated/client.ts';
import { defaultPorts, type OrderPorts } from '../../src/gateways/default-ports.ts';
import { insertUser } from '../../src/db/users/users.ts';
import { registerProfile } from '../../src/domain/profile/profile.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { startOptions } from '../../src/temporal/start-options.ts';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { createDatabase } from './services.ts';
import './quiet.ts';

/** Tenant of every user of these tests. */
export const TENANT = 'test';

/** A worker on real PostgreSQL, and what tests do with it. */
export interface World {
  readonly db: Db;
  readonly config: Config;
  readonly client: Client;
  /** Inserts a registered user, without starting anything; times are milliseconds since the epoch. */
  insertUser(user: { now: number; deadlineDays?: number; services?: readonly string[] }): Promise<string>;
  startProfile(userId: string): Promise<void>;
  startUserSync(userId: string): Promise<void>;
  row(userId: string): Promise<User>;
  close(): Promise<void>;
}

/** Starts a worker whose task queue is its own, so that test files share a server without meeting. */
export async function createWorld({
  connection,
  client,
  namespace,
  env = {},
  around = (ports) => ports,
}: {
  connection: NativeConnection;
  client: Client;
  namespace: string;
  env?: Record<string, string>;
  /** Puts what a test lets go wrong around the ports of orders. */
  around?: (ports: OrderPorts) => OrderPorts;
}): Promise<World> {
  const database = await createDatabase();
  const config = loadConfig({
    REMINDER_HOUR: '',
    TIME_ZONE: 'UTC',
    SYNC_SERVICES: 'accounting,portfolio',
    BUS_POLL_MS: '50',
    TASK_QUEUE: `test-${randomUUID()}`,
    ...env,
  });
  const db = openDb({ url: database.url, role: config.DATABASE_ROLE, poolSize: 10, applicationName: 'test' });
  const { codePath } = await loadWorkflowBundle(join(tmpdir(), 'steadfast-test-bundles'));
  const ports = around(defaultPorts(config));
  const worker = await createWorker({
    config,
    connection,
    namespace,
    codePath,
    activities: createActivities({ db, client, config, gateways: { ...ports, mail: undefined } }),
  });
  const polling = worker.run();
  const relay = createWorkflowRelay({ db, client, config, logger: pino({ level: 'silent' }) });
  relay.start();

  const start = async (workflowType: string, workflowId: string, userId: string): Promise<void> => {
    await client.workflow.start(workflowType, {
      ...startOptions(config, { workflowType, workflowId }),
      args: [{ tenantId: TENANT, userId }],
    });
  };
  return {
    db,
    config,
    client,
    insertUser: async ({ now, deadlineDays = 7, services = ['accounting', 'portfolio'] }) => {
      const userId = randomUUID();
      const { deadline, settledUntil } = registerProfile({ now, deadlineDays });
      await insertUser(
        db.pool,
        {
          tenantId: TENANT,
          userId,
          authSubject: `auth|${userId}`,
          email: `${userId}@example.com`,
          name: 'Ada',
          locale: 'en',
          phone: null,
          profileCompletionDeadline: new Date(deadline),
          remindersSettledUntil: new Date(settledUntil),
          services,
          defaultServices: true,
        },
        [],
      );
      return userId;
    },
    startProfile: (userId) => start(PROFILE_WORKFLOW, profileWorkflowId(userId), userId),
    startUserSync: (userId) => start(USER_SYNC_WORKFLOW, userSyncWorkflowId(userId), userId),
    row: (userId) =>
      db.inTenant(TENANT, (tx) =>
        tx.user.findUniqueOrThrow({ where: { tenantId_id: { tenantId: TENANT, id: userId } } }),
      ),
    close: async () => {
      await relay.stop();
      worker.shutdown();
      await polling;
      await db.close();
      await database.drop();
    },
  };
}

/** The failure type by which an Update was refused. */
export async function refusalOf(t: ExecutionContext, update: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(update);
  const cause: unknown = error?.cause;
  return typeof cause === 'object' && cause !== null && 'type' in cause ? String(cause.type) : String(error);
}
