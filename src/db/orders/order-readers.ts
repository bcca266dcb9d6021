import type { TenantPool } from '../../postgres/pool.ts';
import { runStatement } from '../../postgres/statement.ts';

/** A user who follows an order. */
export interface OrderReader {
  readonly tenantId: string;
  readonly userId: string;
  /** Id of the order, and of its process. */
  readonly processId: string;
}

/** Why a user may read an order no longer. */
export type LostOrder = 'account_inactive' | 'order_not_found';

/**
 * Who of the readers, of any tenants, may read its order no longer, in their order; null: it may. One statement for the
 * readers of each tenant.
 */
export async function lostOrders(pool: TenantPool, readers: readonly OrderReader[]): Promise<(LostOrder | null)[]> {
  const lost = new Map<OrderReader, LostOrder | null>();
  for (const [tenantId, own] of Map.groupBy(readers, (reader) => reader.tenantId)) {
    const found = await lostOfTenant(pool, tenantId, own);
    own.forEach((reader, index) => lost.set(reader, found[index] ?? null));
  }
  return readers.map((reader) => lost.get(reader) ?? null);
}

async function lostOfTenant(
  pool: TenantPool,
  tenantId: string,
  readers: readonly OrderReader[],
): Promise<(LostOrder | null)[]> {
  const rows = await runStatement<{ lost: LostOrder | null }>(pool, tenantId, {
    name: 'lost-orders',
    text: `SELECT CASE WHEN u.status IN ('inactive', 'suspended') THEN 'account_inactive'
        WHEN o.customer_id IS NULL OR u.customer_id IS DISTINCT FROM o.customer_id THEN 'order_not_found' END AS lost
      FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS r (user_id, order_id, place)
      LEFT JOIN LATERAL (SELECT status, customer_id FROM users
        WHERE tenant_id = $1 AND id = r.user_id AND deleted_at IS NULL LIMIT 1) AS u ON true
      LEFT JOIN LATERAL (SELECT customer_id FROM orders
        WHERE tenant_id = $1 AND id = r.order_id LIMIT 1) AS o ON true
      ORDER BY r.place`,
    values: [tenantId, readers.map(({ userId }) => userId), readers.map(({ processId }) => processId)],
  });
  return rows.map(({ lost }) => lost);
}
