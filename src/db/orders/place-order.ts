import type { Address } from '../../domain/orders/address.ts';
import { orderProcess, type OrderProviders } from '../../domain/orders/order-process.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import { insertProcessesSql, processesParameter } from '../processes/process-rows.ts';
import { runStatement } from '../../postgres/statement.ts';
import { newProcess } from '../processes/new-process.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** How an order is paid. */
export interface OrderPayment {
  readonly method: string;
}

/** An order as it is placed; prices are found when it is validated. */
export interface NewOrder {
  readonly tenantId: string;
  readonly orderId: string;
  readonly customerId: string;
  /** User who places it; null: a service or an administrator. */
  readonly placedBy: string | null;
  /** ISO 4217. */
  readonly currency: string;
  readonly payment: OrderPayment;
  readonly shipTo: Address;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** How long after its shipment it should be delivered, in milliseconds. */
  readonly deliveryLimitMs: number;
  readonly providers: OrderProviders;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Writes the order, its lines, its process and the start of its workflow (workflow outbox), all in one statement;
 * answers the process as it begins. No NOTIFY: PostgreSQL takes a lock for it at commit, so that commits would wait for
 * one another.
 */
export async function insertOrder(pool: TenantPool, order: NewOrder): Promise<ProcessState> {
  const { tenantId, orderId, customerId, placedBy, currency, payment, shipTo, items, deliveryLimitMs, providers, now } =
    order;
  const { row, start } = newProcess({
    definition: orderProcess,
    tenantId,
    processId: orderId,
    listedFor: customerId,
    data: { deliveryLimitMs, ...providers },
    now,
  });
  await runStatement(pool, tenantId, {
    name: 'insert-order',
    text: INSERT_ORDER,
    values: [
      tenantId,
      orderId,
      customerId,
      placedBy,
      currency,
      JSON.stringify(payment),
      JSON.stringify(shipTo),
      new Date(now),
      items.map(({ sku }) => sku),
      items.map(({ quantity }) => quantity),
      processesParameter([row]),
      callsParameter([start]),
    ],
  });
  return row.state;
}

const INSERT_ORDER = `
  WITH new_order AS (
    INSERT INTO orders (tenant_id, id, customer_id, placed_by, currency, payment, ship_to, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ), line AS (
    INSERT INTO order_items (tenant_id, order_id, line, sku, quantity)
    SELECT $1, $2, place, sku, quantity FROM unnest($9::text[], $10::int[]) WITH ORDINALITY AS given (sku, quantity,
      place)
  ), ${insertProcessesSql(11)}
  ${enqueueCallsSql(12)}`;
