import { orderStatusOf, type OrderProgress, type OrderStatus } from '../../domain/orders/order-status.ts';
import { choreographedOrderProcess, type OrderMode } from '../../domain/orders/choreographed-order.ts';
import { DELIVERY_OUTCOMES, orderProcess } from '../../domain/orders/order-process.ts';
import { PROCESS_STATUSES } from '../../domain/process/statuses.ts';
import type { Cause } from '../../domain/process/state.ts';
import type { Address } from '../../domain/orders/address.ts';
import type { Provider } from '../../domain/process/definition.ts';
import type { OrderPayment } from './place-order.ts';
import { inPageOrder, keyedPage, pageByTime } from '../../postgres/keyed-page.ts';
import { runStatement } from '../../postgres/statement.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** Types of the processes of orders. */
const ORDER_TYPES: readonly string[] = [orderProcess.type, choreographedOrderProcess.type];

/** One line of an order; the price is null until the order was validated. */
export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPriceMinor: number | null;
}

/** An order with the state of its process. */
export interface OrderRow extends OrderProgress {
  readonly id: string;
  readonly mode: OrderMode;
  readonly customerId: string;
  readonly placedBy: string | null;
  readonly currency: string;
  readonly totalMinor: number | null;
  readonly payment: OrderPayment;
  /** Who takes the payment; null: the order was placed before there was a choice. */
  readonly paymentProvider: Provider | null;
  readonly shipTo: Address | null;
  readonly items: readonly OrderLine[];
  readonly cause: Cause | null;
  /** Number of the process's last event. */
  readonly sequence: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What became of the order of process `p`: the payload of the event; whatever else a signal brought is a delivery. */
export const OUTCOME = `substring(p.data->'delivered'->>'outcome' FROM '^(?:lost|returned)$')`;

// Money is below 2^53, which a double holds exactly.
const ordersIn = (source: string): string => `
  SELECT o.id, o.mode, o.customer_id AS "customerId", o.placed_by AS "placedBy", o.currency,
    o.total_minor::float8 AS "totalMinor", o.payment, p.data->'payment' AS "paymentProvider", o.ship_to AS "shipTo",
    o.created_at AS "createdAt", p.status::text, p.current_step AS "currentStep", p.cause, p.cancelled, p.sequence,
      ${OUTCOME} AS outcome,
      p.updated_at AS "updatedAt",
    (SELECT coalesce(json_agg(json_build_object('sku', i.sku, 'quantity', i.quantity, 'unitPriceMinor',
      i.unit_price_minor) ORDER BY i.line), '[]')
      FROM order_items AS i WHERE i.tenant_id = o.tenant_id AND i.order_id = o.id) AS items
  FROM ${source} AS o JOIN process_states AS p ON p.tenant_id = o.tenant_id AND p.process_id = o.id`;

const ORDERS = ordersIn('orders');

/** The order, if there is one. */
export async function findOrder(
  pool: TenantPool,
  { tenantId, orderId }: { tenantId: string; orderId: string },
): Promise<OrderRow | undefined> {
  const [row] = await runStatement<OrderRow>(pool, tenantId, {
    name: 'find-order',
    text: `${ORDERS} WHERE o.tenant_id = $1 AND o.id = $2`,
    values: [tenantId, orderId],
  });
  return row;
}

/** Which orders, and from where on; null: any. */
export interface OrderListQuery {
  readonly tenantId: string;
  readonly customerId: string | null;
  readonly status: OrderStatus | null;
  readonly after: { readonly createdAt: Date; readonly id: string } | null;
  readonly limit: number;
}

/**
 * Up to `limit` orders, newest first. A status is found by the key of the process, which began when the order was
 * placed.
 */
export async function listOrders(pool: TenantPool, query: OrderListQuery): Promise<OrderRow[]> {
  const { tenantId, customerId, status, after, limit } = query;
  if (status !== null) return listByStatus(pool, { ...query, status });
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [
    `o.tenant_id = ${parameter(tenantId)}`,
    ...(customerId === null ? [] : [`o.customer_id = ${parameter(customerId)}`]),
    ...(after === null ? [] : [`(o.created_at, o.id) < (${parameter(after.createdAt)}, ${parameter(after.id)})`]),
  ];
  // The orders of the page before anything is joined to them: joined first, they might all be.
  const page = `(SELECT * FROM orders AS o WHERE ${conditions.join(' AND ')}
    ORDER BY o.created_at DESC, o.id DESC LIMIT ${parameter(limit)})`;
  return await runStatement<OrderRow>(pool, tenantId, {
    // A statement for each set of filters: one for all of them would get one plan for all.
    name: ['list-orders', customerId && 'customer', after && 'next'].filter(Boolean).join('-'),
    text: `${ordersIn(page)} ORDER BY o.created_at DESC, o.id DESC`,
    values,
    isOrdered: true,
  });
}

async function listByStatus(
  pool: TenantPool,
  { tenantId, customerId, status, after, limit }: OrderListQuery & { readonly status: OrderStatus },
): Promise<OrderRow[]> {
  return await rawTransaction(pool, tenantId, async (client) => {
    const ids = await keyedPage(client, {
      table: 'process_states',
      tenantId,
      listedFor: customerId,
      matches: (key) => isOrderOf(status, key),
      ...pageByTime(['started_at', 'process_id'], after === null ? undefined : { at: after.createdAt, id: after.id }),
      limit,
    });
    const { rows } = await client.query<OrderRow>({
      name: 'read-listed-orders',
      text: `${ORDERS} WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`,
      values: [tenantId, ids],
    });
    return inPageOrder(ids, rows, ({ id }) => id);
  });
}

/** Whether a process with this key, in words, is that of an order with the status. */
function isOrderOf(status: OrderStatus, [word, type, step, cancelled, end]: readonly string[]): boolean {
  const processStatus = PROCESS_STATUSES.find((each) => each === word);
  return (
    ORDER_TYPES.includes(type ?? '') &&
    processStatus !== undefined &&
    orderStatusOf({
      status: processStatus,
      currentStep: step === '' || step === undefined ? null : step,
      cause: end === 'refused' ? { class: 'refused' } : null,
      cancelled: cancelled === 'cancelled' ? {} : null,
      outcome: DELIVERY_OUTCOMES.find((each) => each === end) ?? null,
    }) === status
  );
}
