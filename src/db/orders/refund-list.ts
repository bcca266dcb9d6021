import type { Cause } from '../../domain/process/state.ts';
import type { RefundProgress } from '../../domain/orders/refund-status.ts';
import { runStatement } from '../../postgres/statement.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** A refund with the state of its process. */
export interface ListedRefund extends RefundProgress {
  readonly id: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  readonly cause: Cause | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The refund, if there is one. */
export async function findRefund(
  pool: TenantPool,
  { tenantId, refundId }: { tenantId: string; refundId: string },
): Promise<ListedRefund | undefined> {
  const [row] = await runStatement<ListedRefund>(pool, tenantId, {
    name: 'find-refund',
    values: [tenantId, refundId],
    // Money is below 2^53, which a double holds exactly.
    text: `SELECT r.id, r.order_id AS "orderId", r.amount_minor::float8 AS "amountMinor", r.currency, r.items,
      r.created_at AS "createdAt",
        p.status::text, p.current_step AS "currentStep", p.cause, p.updated_at AS "updatedAt"
      FROM refunds AS r JOIN process_states AS p ON p.tenant_id = r.tenant_id AND p.process_id = r.id
        WHERE r.tenant_id = $1 AND r.id = $2`,
  });
  return row;
}
