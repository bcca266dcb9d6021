import pg from 'pg';
import type { Scope } from '../support/scope.ts';
import { plantUser } from '../support/users.ts';
import { createWorld, type World, type WorldOptions } from '../support/world.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';

/** Tenant of every user of these tests. */
export const TENANT = 'default';

/** The services of a user who is to be synchronised. */
export const SERVICES = ['accounting', 'portfolio'] as const;

/** A world whose processes are killed: what they leave is taken over soon. */
export function createCrashWorld(scope: Scope, { settings = {}, ...options }: WorldOptions = {}): Promise<World> {
  return createWorld(scope, {
    ...options,
    poolSize: 5,
    settings: {
      WORKFLOW_TASK_TIMEOUT_MS: '3000',
      WORKER_SHUTDOWN_GRACE_MS: '2000',
      COMMAND_TIMEOUT_MS: '2000',
      BUS_POLL_MS: '50',
      // Whoever is held keeps its connection.
      DATABASE_POOL_SIZE: '30',
      REMINDER_HOUR: '',
      TIME_ZONE: 'UTC',
      SYNC_SERVICES: SERVICES.join(','),
      ...settings,
    },
  });
}

/** Inserts a user and promises the start of one of its workflows, as a registration does. */
export async function plant(
  { db }: Pick<World, 'db'>,
  {
    userId,
    workflow,
    deadline,
    services,
  }: { userId: string; workflow: 'profile' | 'userSync'; deadline: Date; services: readonly string[] },
): Promise<void> {
  const called =
    workflow === 'profile'
      ? { workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId) }
      : { workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId) };
  await plantUser(db, { tenantId: TENANT, userId, profileCompletionDeadline: deadline, services }, [
    { tenantId: TENANT, kind: 'start', input: { tenantId: TENANT, userId }, ...called },
  ]);
}

/** Ends the leases and claims of killed processes at once, instead of 10 s after their death. */
export async function endLeases({ databaseUrl }: Pick<World, 'databaseUrl'>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`
    UPDATE leases SET expires_at = now(); UPDATE log_cursors SET lease_until = now();
    UPDATE pending_starts SET next_attempt_at = now()`);
  await client.end();
}
