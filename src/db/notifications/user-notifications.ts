import { inPageOrder, readInOrder } from '../../postgres/keyed-page.ts';
import { sql } from '../../postgres/sql.ts';
import type { Tx } from '../../postgres/client.ts';
import type { Notification } from '../../postgres/generated/client.ts';

/** Notifications about a user, newest first; without `toUserOnly` also those to administrators. */
export async function listUserNotifications(
  tx: Tx,
  {
    tenantId,
    userId,
    toUserOnly,
    after,
    limit,
  }: {
    readonly tenantId: string;
    readonly userId: string;
    readonly toUserOnly: boolean;
    readonly after: { readonly at: Date; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<Notification[]> {
  await readInOrder(tx);
  const beyond = after === undefined ? '' : 'AND (created_at, id) < ($4::timestamptz, $5::uuid)';
  // An index has both kinds in order.
  const parts = (toUserOnly ? [true] : [true, false]).map(
    (toUser) => `(SELECT created_at, id FROM notifications
      WHERE tenant_id = $1 AND user_id = $2::uuid AND to_user = ${toUser} ${beyond}
      ORDER BY created_at DESC, id DESC LIMIT $3)`,
  );
  const found = await sql<{ found: string }>(
    tx,
    `SELECT id::text AS found FROM (${parts.join(' UNION ALL ')}) AS page ORDER BY created_at DESC, id DESC LIMIT $3`,
    [tenantId, userId, limit, ...(after === undefined ? [] : [after.at, after.id])],
  );
  const ids = found.map((row) => row.found);
  return inPageOrder(ids, await tx.notification.findMany({ where: { tenantId, id: { in: ids } } }), ({ id }) => id);
}
