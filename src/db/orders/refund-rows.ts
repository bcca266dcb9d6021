import type pg from 'pg';
import type { AskedRefund } from '../../domain/orders/accept-refund.ts';

/** A refund as its row has it. */
export interface RefundRow extends AskedRefund {
  readonly refundId: string;
  readonly orderId: string;
  readonly status: 'requested' | 'accepted' | 'released' | 'paid';
  readonly goods: 'outstanding' | 'restocked' | 'unstocked';
}

type RefundIds = { readonly tenantId: string; readonly refundIds: readonly string[] };

/** The refunds in the order of `ids`, not locked: every caller holds the lock on the refund's process. */
export async function readRefunds(
  client: pg.ClientBase,
  { tenantId, refundIds }: RefundIds,
): Promise<readonly RefundRow[]> {
  const { rows } = await client.query<RefundRow>({
    name: 'read-refunds',
    values: [tenantId, refundIds],
    text: `SELECT id::text AS "refundId", order_id::text AS "orderId", amount_minor::float8 AS "amountMinor", currency,
      items, status::text, goods::text
      FROM refunds WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
  });
  const refunds = new Map(rows.map((row) => [row.refundId, row]));
  return refundIds.map((refundId) => {
    const refund = refunds.get(refundId);
    if (refund === undefined) throw new Error('a process has no refund');
    return refund;
  });
}

/**
 * Locks orders, sorted by id against deadlocks, so that one refund at a time reads and changes what is left of an
 * order.
 */
export async function lockOrders(
  client: pg.ClientBase,
  { tenantId, orderIds }: { tenantId: string; orderIds: readonly string[] },
): Promise<void> {
  await client.query({
    name: 'lock-orders',
    values: [tenantId, orderIds],
    text: 'SELECT FROM orders WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE',
  });
}

/** Writes the status of refunds. */
export async function setRefundStatus(
  client: pg.ClientBase,
  { tenantId, refundIds, status }: RefundIds & Pick<RefundRow, 'status'>,
): Promise<void> {
  if (refundIds.length === 0) return;
  await client.query({
    name: 'set-refund-status',
    values: [tenantId, refundIds, status],
    text: 'UPDATE refunds SET status = $3::"RefundStatus" WHERE tenant_id = $1 AND id = ANY($2::uuid[])',
  });
}

/** Writes whether the goods of refunds are back. */
export async function setReturnedGoods(
  client: pg.ClientBase,
  { tenantId, refundIds, goods }: RefundIds & Pick<RefundRow, 'goods'>,
): Promise<void> {
  if (refundIds.length === 0) return;
  await client.query({
    name: 'set-returned-goods',
    values: [tenantId, refundIds, goods],
    text: 'UPDATE refunds SET goods = $3::"ReturnedGoods" WHERE tenant_id = $1 AND id = ANY($2::uuid[])',
  });
}
