import { profileWorkflowId } from '../../workflows/profile/profile.messages.ts';
import { userSyncWorkflowId } from '../../workflows/user-sync/user-sync.messages.ts';
import {
  FORGET_ADDRESSES_BY_SERVICES_OF_ALL,
  FORGET_ADDRESSES_OF_ALL,
  HAS_ADDRESSES,
} from '../../db/orders/erase-addresses.ts';
import { isAmong } from '../../postgres/sql.ts';
import { systemTransaction } from '../../postgres/transaction.ts';
import { removeWhere, type Removal } from './delete-in-batches.ts';

const USERS_AT_A_TIME = 100;

interface DeletedUser {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * Where deleted users are left: in messages about them, but for the one that tells of the deletion, in what was sent to
 * them, and in orders that were still under way when they were deleted. A new table that may name one adds its line.
 */
export const ERASURES: Readonly<Record<string, (removal: Removal, users: readonly DeletedUser[]) => Promise<void>>> = {
  outgoing_messages: (removal, users) => removeByKey(removal, 'outgoing_messages', users, `topic <> 'user.deleted'`),
  bus_messages: (removal, users) => removeByKey(removal, 'bus_messages', users, `topic <> 'user.deleted'`),
  // The key of a parked call of the workflow outbox is the workflow's id.
  dead_letters: (removal, users) =>
    removeByKey(
      removal,
      'dead_letters',
      users.flatMap(({ tenantId, id }) =>
        [id, profileWorkflowId(id), userSyncWorkflowId(id)].map((key) => ({ tenantId, id: key })),
      ),
      'true',
    ),
  notifications: (removal, users) =>
    removeWhere(
      removal,
      'notifications',
      `to_user AND tenant_id = ANY($1::text[]) AND user_id = ANY($2::uuid[])
        AND ${isAmong(['tenant_id', 'user_id'], 'uuid')}`,
      columnsOf(users),
    ),
  orders: ({ pool }, users) =>
    systemTransaction(pool, async (client) => {
      await client.query(FORGET_ADDRESSES_OF_ALL, columnsOf(users));
      await client.query(FORGET_ADDRESSES_BY_SERVICES_OF_ALL, columnsOf(users));
    }),
};

/**
 * Removes the data of deleted users, some users at a time. A user is purged for good when its orders are closed, its
 * services have confirmed the deletion and RETENTION_DAYS have passed since it; until then each clean-up repeats, since
 * work that was under way at the deletion may have written more. `attempt` runs the work on one table and answers
 * whether it succeeded; a table that failed is skipped from then on.
 */
export async function eraseUsers(
  removal: Removal,
  attempt: (table: string, work: () => Promise<void>) => Promise<boolean>,
): Promise<void> {
  const failed = new Set<string>();
  let after: DeletedUser | undefined = { tenantId: '', id: '00000000-0000-0000-0000-000000000000' };
  while (after !== undefined) {
    const users = await unpurgedUsers(removal, after);
    if (users.length === 0) return;
    for (const [table, remove] of Object.entries(ERASURES)) {
      if (!failed.has(table) && !(await attempt(table, () => remove(removal, users)))) failed.add(table);
    }
    if (failed.size === 0) await markPurged(removal, users);
    after = users.length < USERS_AT_A_TIME ? undefined : users.at(-1);
  }
}

async function unpurgedUsers({ pool }: Removal, after: DeletedUser): Promise<DeletedUser[]> {
  const { rows } = await systemTransaction(pool, (client) =>
    client.query<DeletedUser>(
      `
    SELECT tenant_id AS "tenantId", id::text AS id FROM users AS u
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL AND (u.tenant_id, u.id) > ($1, $2::uuid)
    ORDER BY u.tenant_id, u.id LIMIT ${USERS_AT_A_TIME}`,
      [after.tenantId, after.id],
    ),
  );
  return rows;
}

async function removeByKey(
  removal: Removal,
  table: string,
  keys: readonly DeletedUser[],
  condition: string,
): Promise<void> {
  // `key = ANY` is redundant, but lets the index on the key be used.
  await removeWhere(
    removal,
    table,
    `key = ANY($2::text[]) AND ${condition} AND ${isAmong(['tenant_id', 'key'], 'text')}`,
    columnsOf(keys),
  );
}

async function markPurged({ pool, config }: Removal, users: readonly DeletedUser[]): Promise<void> {
  await systemTransaction(pool, (client) =>
    client.query(
      `
    UPDATE users AS u SET purged_at = now(), former_customer_id = NULL
    WHERE id = ANY($2::uuid[]) AND ${isAmong(['tenant_id', 'id'], 'uuid')}
      AND deleted_at < now() - make_interval(days => $3::int) AND sync_ended_at IS NOT NULL
      AND NOT ${HAS_ADDRESSES}`,
      [...columnsOf(users), config.RETENTION_DAYS],
    ),
  );
}

function columnsOf(users: readonly DeletedUser[]): [string[], string[]] {
  return [users.map(({ tenantId }) => tenantId), users.map(({ id }) => id)];
}
