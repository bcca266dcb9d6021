import type pg from 'pg';
import { z } from 'zod';
import { ORDER_MESSAGES, type OrderRequest, type OrderService } from '../../domain/orders/choreographed-order.ts';
import { providerIn, type ProcessData } from '../../domain/process/definition.ts';
import { LEDGER, WAREHOUSE } from '../../domain/orders/order-process.ts';
import type { OperatorDecision } from '../../domain/process/state.ts';
import { orderEvent, type Said } from '../../events/order-messages.ts';

const asked = z.object({
  /** What was asked, as it was said. */
  message: orderEvent,
  /** Times it was asked, more than 1 where somebody had it asked again. */
  times: z.int().positive(),
  at: z.iso.datetime(),
});

/** What was asked last and is not answered: a message, or the delivery that is waited for. */
export type Awaited = z.output<typeof asked>;

/** What was asked and not answered; null: nothing. */
export function awaitedIn(stored: unknown): Awaited | null {
  return asked.nullable().parse(stored);
}

/** Who should answer. */
export function whoAnswers({ message: { type } }: Pick<Awaited, 'message'>): OrderService {
  return type === 'OrderShipped' ? 'inventory' : ORDER_MESSAGES[type];
}

/** What `order` knows of an order when it talks of it. */
export interface ToldOrder {
  readonly customerId: string;
  readonly currency: string;
  /** Null: it was not validated. */
  readonly totalMinor: number | null;
  readonly method: string;
  readonly items: { readonly sku: string; readonly quantity: number }[];
  readonly cancelAsked: OperatorDecision | null;
}

/** Reads what messages tell of an order. */
export async function readToldOrder(
  client: pg.ClientBase,
  { tenantId, orderId }: { tenantId: string; orderId: string },
): Promise<ToldOrder> {
  const {
    rows: [row],
  } = await client.query<ToldOrder>({
    name: 'read-told-order',
    // A sum is below 2^53, where a double is exact.
    text: `SELECT customer_id AS "customerId", currency, total_minor::float8 AS "totalMinor",
        payment->>'method' AS method, cancel_asked AS "cancelAsked",
        (SELECT json_agg(json_build_object('sku', sku, 'quantity', quantity) ORDER BY sku) FROM (
          SELECT sku, sum(quantity)::int AS quantity FROM order_items
          WHERE tenant_id = $1 AND order_id = $2 GROUP BY sku
        ) AS line) AS items
      FROM orders WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, orderId],
  });
  if (row === undefined) throw new Error('a process has no order');
  return row;
}

/** What a request says, by what the rows say. */
export function requestFor(
  request: OrderRequest,
  { order, orderId, data }: { readonly order: ToldOrder; readonly orderId: string; readonly data: ProcessData },
): Said {
  const { items, customerId, currency, totalMinor, method } = order;
  const shipper = providerIn(data, 'shipping') ?? WAREHOUSE;
  switch (request) {
    case 'ReserveInventory':
    case 'ReleaseInventory':
      return { type: request, data: { orderId, items } };
    case 'ProcessPayment':
    case 'RefundPayment': {
      if (totalMinor === null) throw new Error('an order is to be paid that was not validated');
      const provider = providerIn(data, 'payment') ?? LEDGER;
      return { type: request, data: { orderId, customerId, amountMinor: totalMinor, currency, method, provider } };
    }
    case 'ShipOrder':
      return { type: request, data: { orderId, items, provider: shipper } };
    case 'CancelShipment':
      return { type: request, data: { orderId, provider: shipper } };
  }
}

/** Writes what is awaited now, until when; null: nothing. */
export async function keepAwaited(
  client: pg.ClientBase,
  {
    tenantId,
    orderId,
    awaited,
    dueAt,
    isCancelHeard,
  }: {
    tenantId: string;
    orderId: string;
    awaited: Awaited | null;
    dueAt: Date | null;
    /** Who asked to cancel it, and why, is in its process now. */
    isCancelHeard: boolean;
  },
): Promise<void> {
  await client.query({
    name: 'keep-awaited',
    text: `UPDATE orders SET awaited = $3, answer_due_at = $4,
        cancel_asked = CASE WHEN $5 THEN NULL ELSE cancel_asked END
      WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, orderId, awaited === null ? null : JSON.stringify(awaited), dueAt, isCancelHeard],
  });
}

/** Forgets who asked to cancel an order: its process has it now. */
export async function forgetCancel(
  client: pg.ClientBase,
  { tenantId, orderId }: { tenantId: string; orderId: string },
): Promise<void> {
  await client.query({
    name: 'forget-cancel',
    text: 'UPDATE orders SET cancel_asked = NULL WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, orderId],
  });
}
