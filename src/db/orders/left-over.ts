import type pg from 'pg';
import type { Provider } from '../../domain/process/definition.ts';
import { providerIn } from '../../domain/process/definition.ts';
import type { LeftOver } from '../../domain/process/left-over.ts';
import { leftOverOfOrder, leftOverOfRefund, type OrderBooks, type RefundBooks } from '../../domain/orders/left-over.ts';
import { OUTCOME } from './order-list.ts';

/** A process that was ended, with what it has left over. */
export interface Ended {
  readonly type: string;
  readonly id: string;
  readonly orderId: string;
  /** Who took the payment of the order, and who ships it; null: it names nobody. */
  readonly payment: Provider | null;
  readonly shipping: Provider | null;
  readonly leftOver: LeftOver;
}

type ProcessIds = { readonly tenantId: string; readonly processIds: readonly string[] };

/** Orders with what they have left over. */
export async function endedOrders(client: pg.ClientBase, { tenantId, processIds }: ProcessIds): Promise<Ended[]> {
  const { rows } = await client.query<OrderBooks & { id: string }>({
    name: 'books-of-orders',
    text: BOOKS_OF_ORDERS,
    values: [tenantId, processIds],
  });
  return rows.map(({ id, ...books }) => ({
    type: 'order',
    id,
    orderId: id,
    payment: providerIn(books.state.data, 'payment'),
    shipping: providerIn(books.state.data, 'shipping'),
    leftOver: leftOverOfOrder(books),
  }));
}

/** Refunds with what they have left over. */
export async function endedRefunds(client: pg.ClientBase, { tenantId, processIds }: ProcessIds): Promise<Ended[]> {
  const { rows } = await client.query<RefundBooks & { id: string; orderId: string }>({
    name: 'books-of-refunds',
    text: BOOKS_OF_REFUNDS,
    values: [tenantId, processIds],
  });
  return rows.map(({ id, orderId, ...books }) => ({
    type: 'refund',
    id,
    orderId,
    payment: providerIn(books.state.data, 'payment'),
    shipping: null,
    leftOver: leftOverOfRefund(books),
  }));
}

/** What those have left over that these settlements are about, which is theirs as long as they have not settled it. */
export async function endedSettlements(client: pg.ClientBase, { tenantId, processIds }: ProcessIds): Promise<Ended[]> {
  const { rows } = await client.query<{ id: string; settledId: string }>({
    name: 'settled-by',
    text: `SELECT id::text, settled_id::text AS "settledId" FROM settlements
      WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
    values: [tenantId, processIds],
  });
  const settled = { tenantId, processIds: rows.map(({ settledId }) => settledId) };
  const ended = [...(await endedOrders(client, settled)), ...(await endedRefunds(client, settled))];
  return ended.filter(({ id }) => rows.some(({ settledId }) => settledId === id));
}

const STATE = `json_build_object('status', p.status, 'history', p.history, 'data', p.data) AS state`;

const BOOKS_OF_ORDERS = `
  SELECT o.id::text, ${STATE}, ${OUTCOME} AS outcome, o.total_minor::float8 AS "totalMinor", o.currency,
    (SELECT json_build_object('status', status, 'amountMinor', amount_minor, 'refundedMinor', refunded_minor)
      FROM payments WHERE tenant_id = $1 AND key = 'order:' || o.id || ':authorise') AS payment,
    (SELECT coalesce(sum(amount_minor), 0)::float8 FROM refunds
      WHERE tenant_id = $1 AND order_id = o.id AND status = 'accepted') AS "acceptedMinor",
    (SELECT coalesce(sum(amount_minor), 0)::float8 FROM refunds
      WHERE tenant_id = $1 AND order_id = o.id AND status = 'paid') AS "paidMinor",
    (SELECT coalesce(sum(amount_minor), 0)::float8 FROM settlements
      WHERE tenant_id = $1 AND order_id = o.id AND settled_id = o.id AND payment_at IS NOT NULL) AS "settledMinor",
    (SELECT status::text FROM reservations WHERE tenant_id = $1 AND order_id = o.id) AS reservation,
    (SELECT coalesce(json_agg(json_build_object('sku', sku, 'quantity', quantity) ORDER BY sku), '[]') FROM (
      SELECT sku, sum(quantity)::int AS quantity FROM order_items WHERE tenant_id = $1 AND order_id = o.id GROUP BY sku
    ) AS line) AS pieces,
    (SELECT coalesce(json_agg(json_build_object('sku', sku, 'quantity', quantity)), '[]') FROM (
      SELECT i.sku, i.quantity FROM refunds AS f, jsonb_to_recordset(f.items) AS i(sku text, quantity int)
      WHERE f.tenant_id = $1 AND f.order_id = o.id AND (f.status IN ('accepted', 'paid') OR f.goods = 'restocked')
      UNION ALL
      SELECT i.sku, i.quantity FROM settlements AS s, jsonb_to_recordset(s.items) AS i(sku text, quantity int)
      WHERE s.tenant_id = $1 AND s.order_id = o.id AND s.settled_id = o.id AND s.pieces_at IS NOT NULL
    ) AS gone) AS "accountedFor",
    (SELECT json_build_object('shipmentId', shipment_id, 'status', status) FROM shipments
      WHERE tenant_id = $1 AND order_id = o.id) AS shipment
  FROM orders AS o JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = o.id
  WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`;

const BOOKS_OF_REFUNDS = `
  SELECT f.id::text, f.order_id::text AS "orderId", ${STATE}, f.status::text, f.goods::text,
    f.amount_minor::float8 AS "amountMinor", f.currency, f.items,
    EXISTS (SELECT FROM settlements AS s WHERE s.tenant_id = $1 AND s.order_id = f.order_id AND s.settled_id = f.id
      AND s.pieces_at IS NOT NULL) AS "areGoodsSettled"
  FROM refunds AS f JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = f.id
  WHERE f.tenant_id = $1 AND f.id = ANY($2::uuid[])`;
