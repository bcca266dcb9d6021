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
import { changeRows, columnsOf, eraseAlerts, removeNaming, type Attempt, type Erased } from './erasure.ts';
import { EXECUTIONS, removeExecutions } from './remove-executions.ts';

const USERS_AT_A_TIME = 100;
const ALERTS_OF_USERS = ['step_not_saved', 'workflow_stuck'];

// What services still say of a copy while its deletion is not confirmed is for operators; then nobody needs it.
const IS_FORGOTTEN = `u.id = ANY($2::uuid[]) AND ${isAmong(['u.tenant_id', 'u.id'], 'uuid')}
  AND u.sync_ended_at IS NOT NULL`;

/**
 * Where deleted users are left: in messages about them, but for the one that tells of the deletion, in what was sent to
 * them, in what services said of them, and in orders that were still under way when they were deleted
 * (`PROCESS_ERASURES` is what was said about those). A new table that may name one adds its line.
 */
export const ERASURES: Readonly<Record<string, (removal: Removal, users: readonly Erased[]) => Promise<void>>> = {
  outgoing_messages: (removal, users) => removeByKey(removal, 'outgoing_messages', users, `topic <> 'user.deleted'`),
  bus_messages: (removal, users) => removeByKey(removal, 'bus_messages', users, `topic <> 'user.deleted'`),
  dead_letters: (removal, users) => removeNaming(removal, 'dead_letters', users),
  // Of requests that were under way at the deletion.
  idempotency_keys: (removal, users) => removeNaming(removal, 'idempotency_keys', users),
  notifications: (removal, users) =>
    removeWhere(
      removal,
      'notifications',
      `to_user AND tenant_id = ANY($1::text[]) AND user_id = ANY($2::uuid[])
        AND ${isAmong(['tenant_id', 'user_id'], 'uuid')}`,
      columnsOf(users),
    ),
  users: (removal, users) =>
    changeRows(
      removal,
      'users',
      `UPDATE users AS u SET last_sync_error = NULL WHERE ${IS_FORGOTTEN} AND u.last_sync_error IS NOT NULL`,
      users,
    ),
  user_sync_services: (removal, users) =>
    changeRows(
      removal,
      'user_sync_services',
      `UPDATE user_sync_services AS s SET last_error = NULL FROM users AS u
        WHERE ${IS_FORGOTTEN} AND s.tenant_id = u.tenant_id AND s.user_id = u.id AND s.last_error IS NOT NULL`,
      users,
    ),
  alerts: (removal, users) =>
    eraseAlerts(
      removal,
      users.flatMap(({ tenantId, id }) =>
        ALERTS_OF_USERS.flatMap((kind) =>
          workflowsOf(id).map((workflowId) => ({ tenantId, id: `${kind}:${workflowId}` })),
        ),
      ),
    ),
  orders: ({ pool }, users) =>
    systemTransaction(pool, async (client) => {
      await client.query(FORGET_ADDRESSES_OF_ALL, columnsOf(users));
      await client.query(FORGET_ADDRESSES_BY_SERVICES_OF_ALL, columnsOf(users));
    }),
};

/**
 * Removes the data of deleted users, some users at a time. A user is purged for good when its orders are closed, its
 * services have confirmed the deletion, Temporal knows no execution of its workflows and RETENTION_DAYS have passed
 * since it; until then each clean-up repeats, since work that was under way at the deletion may have written more. A
 * table that failed is skipped from then on.
 */
export async function eraseUsers(removal: Removal, attempt: Attempt): Promise<void> {
  const failed = new Set<string>();
  let after: Erased | undefined = { tenantId: '', id: '00000000-0000-0000-0000-000000000000' };
  while (after !== undefined) {
    const users = await unpurgedUsers(removal, after);
    if (users.length === 0) return;
    for (const [table, remove] of Object.entries(ERASURES)) {
      if (!failed.has(table) && !(await attempt(table, () => remove(removal, users)))) failed.add(table);
    }
    const purge = async (): Promise<void> => {
      const workflowIds = users.flatMap(({ id }) => workflowsOf(id));
      const kept = await removeExecutions(removal, workflowIds);
      const gone = users.filter(({ id }) => !workflowsOf(id).some((workflowId) => kept.has(workflowId)));
      if (failed.size === 0) await markPurged(removal, gone);
    };
    if (!failed.has(EXECUTIONS) && !(await attempt(EXECUTIONS, purge))) failed.add(EXECUTIONS);
    after = users.length < USERS_AT_A_TIME ? undefined : users.at(-1);
  }
}

function workflowsOf(userId: string): readonly string[] {
  return [profileWorkflowId(userId), userSyncWorkflowId(userId)];
}

async function unpurgedUsers({ pool }: Removal, after: Erased): Promise<Erased[]> {
  const { rows } = await systemTransaction(pool, (client) =>
    client.query<Erased>(
      `
    SELECT tenant_id AS "tenantId", id::text AS id FROM users AS u
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL AND (u.tenant_id, u.id) > ($1, $2::uuid)
    ORDER BY u.tenant_id, u.id LIMIT ${USERS_AT_A_TIME}`,
      [after.tenantId, after.id],
    ),
  );
  return rows;
}

async function removeByKey(removal: Removal, table: string, keys: readonly Erased[], condition: string): Promise<void> {
  // `key = ANY` is redundant, but lets the index on the key be used.
  await removeWhere(
    removal,
    table,
    `key = ANY($2::text[]) AND ${condition} AND ${isAmong(['tenant_id', 'key'], 'text')}`,
    columnsOf(keys),
  );
}

async function markPurged({ pool, config }: Removal, users: readonly Erased[]): Promise<void> {
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
