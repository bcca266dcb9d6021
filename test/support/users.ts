import { randomUUID } from 'node:crypto';
import { insertUser, type NewUser } from '../../src/db/users/users.ts';
import { registerProfile } from '../../src/domain/profile/profile.ts';
import type { WorkflowCall } from '../../src/messaging/outbox/workflow-outbox.ts';
import type { Db } from '../../src/postgres/client.ts';
import type { User } from '../../src/postgres/generated/client.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { startOptions } from '../../src/temporal/start-options.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import type { World } from './world.ts';

/** Inserts a registered user, and promises what is to happen to its workflows. */
export async function plantUser(
  { pool }: Pick<Db, 'pool'>,
  { tenantId, userId = randomUUID(), ...user }: Partial<NewUser> & { tenantId: string },
  calls: readonly WorkflowCall[] = [],
): Promise<string> {
  const row: NewUser = {
    tenantId,
    userId,
    authSubject: `auth|${userId}`,
    email: `${userId}@example.com`,
    name: 'Ada',
    locale: 'en',
    phone: null,
    profileCompletionDeadline: new Date(0),
    remindersSettledUntil: new Date(0),
    services: [],
    defaultServices: false,
    ...user,
  };
  const former = { subjectHash: row.authSubject, maxDeletions: 1, countedAfter: new Date(0) };
  await insertUser(pool, row, former, calls);
  return userId;
}

/** Inserts a registered user who is active for a customer. */
export async function addCustomer(
  db: Pick<Db, 'pool'>,
  { tenantId, customerId }: { tenantId: string; customerId: string },
): Promise<void> {
  const userId = await plantUser(db, { tenantId });
  await rawTransaction(db.pool, tenantId, (client) =>
    client.query("UPDATE users SET status = 'active', customer_id = $3 WHERE tenant_id = $1 AND id = $2", [
      tenantId,
      userId,
      customerId,
    ]),
  );
}

/** What tests do with the users of a tenant. */
export interface Users {
  /** Inserts a registered user, without starting anything; times are milliseconds since the epoch. */
  insertUser(user: { now: number; deadlineDays?: number; services?: readonly string[] }): Promise<string>;
  startProfile(userId: string): Promise<void>;
  startUserSync(userId: string): Promise<void>;
  row(userId: string): Promise<User>;
}

/** The users of a tenant in a world. */
export function usersOf({ db, client, config }: World, tenantId: string): Users {
  const start = async (workflowType: string, workflowId: string, userId: string): Promise<void> => {
    await client.workflow.start(workflowType, {
      ...startOptions(config, { tenantId, workflowType, workflowId }),
      args: [{ tenantId, userId }],
    });
  };
  return {
    insertUser: ({ now, deadlineDays = 7, services = ['accounting', 'portfolio'] }) => {
      const { deadline, settledUntil } = registerProfile({ now, deadlineDays });
      return plantUser(db, {
        tenantId,
        profileCompletionDeadline: new Date(deadline),
        remindersSettledUntil: new Date(settledUntil),
        services,
        defaultServices: true,
      });
    },
    startProfile: (userId) => start(PROFILE_WORKFLOW, profileWorkflowId(userId), userId),
    startUserSync: (userId) => start(USER_SYNC_WORKFLOW, userSyncWorkflowId(userId), userId),
    row: (id) => db.inTenant(tenantId, (tx) => tx.user.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } } })),
  };
}
