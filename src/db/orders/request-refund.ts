import type { Provider } from '../../domain/process/definition.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import { refundProcess } from '../../domain/orders/refund-process.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import { insertProcessesSql, processesParameter } from '../processes/process-rows.ts';
import { runStatement } from '../../postgres/statement.ts';
import { newProcess } from '../processes/new-process.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** A refund as it is requested; its first step checks whether so much is left to be refunded. */
export interface NewRefund {
  readonly tenantId: string;
  readonly refundId: string;
  readonly orderId: string;
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  /** Pieces that come back, each sku once. */
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** How long they may take to come back, in milliseconds; 0: none has to, and no stock changes. */
  readonly returnLimitMs: number;
  /** Who took the payment of the order, and pays back. */
  readonly payment: Provider;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Writes the refund, its process and the start of its workflow (workflow outbox), all in one statement without NOTIFY,
 * as `placeOrder` does.
 */
export async function insertRefund(pool: TenantPool, refund: NewRefund): Promise<ProcessState> {
  const { tenantId, refundId, orderId, amountMinor, currency, items, returnLimitMs, payment, now } = refund;
  const { row, start } = newProcess({
    definition: refundProcess,
    tenantId,
    processId: refundId,
    data: { returnLimitMs, payment },
    now,
  });
  await runStatement(pool, tenantId, {
    name: 'insert-refund',
    text: `
      WITH new_refund AS (
        INSERT INTO refunds (tenant_id, id, order_id, amount_minor, currency, items, created_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7)
      ), ${insertProcessesSql(8)}
      ${enqueueCallsSql(9)}`,
    values: [
      tenantId,
      refundId,
      orderId,
      amountMinor,
      currency,
      JSON.stringify(items),
      new Date(now),
      processesParameter([row]),
      callsParameter([start]),
    ],
  });
  return row.state;
}
