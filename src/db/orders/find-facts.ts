import type pg from 'pg';
import type { ProcessData } from '../../domain/process/definition.ts';

type Waiting = { readonly tenantId: string; readonly processIds: readonly string[] };

/**
 * The orders whose shipment has reached its customer, or never will, with which of these. A delivery that was told
 * before there was a shipment is written to that here.
 */
export async function findDeliveries(
  client: pg.ClientBase,
  { tenantId, processIds }: Waiting,
): Promise<ReadonlyMap<string, ProcessData>> {
  const { rows } = await client.query<{ orderId: string; status: string }>({
    name: 'find-deliveries',
    values: [tenantId, processIds],
    text: `WITH early AS (
        UPDATE shipments AS s SET status = 'delivered', delivered_at = o.delivery_told_at
        FROM orders AS o
        WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[]) AND o.delivery_told_at IS NOT NULL
          AND s.tenant_id = $1 AND s.order_id = ANY($2::uuid[]) AND s.order_id = o.id AND s.status = 'accepted'
        RETURNING s.order_id
      )
      SELECT order_id::text AS "orderId", 'delivered' AS status FROM early
      UNION ALL
      SELECT order_id::text, status::text FROM shipments
      WHERE tenant_id = $1 AND order_id = ANY($2::uuid[]) AND status::text IN ('delivered', 'lost', 'returned')`,
  });
  return new Map(rows.map(({ orderId, status }) => [orderId, status === 'delivered' ? {} : { outcome: status }]));
}

/** The refunds whose goods were told to be back. */
export async function findReturnedGoods(
  client: pg.ClientBase,
  { tenantId, processIds }: Waiting,
): Promise<ReadonlyMap<string, ProcessData>> {
  const { rows } = await client.query<{ refundId: string }>({
    name: 'find-returned-goods',
    values: [tenantId, processIds],
    text: `SELECT id::text AS "refundId" FROM refunds
      WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND goods_returned_at IS NOT NULL`,
  });
  return new Map(rows.map(({ refundId }) => [refundId, {}]));
}
