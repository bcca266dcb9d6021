import type pg from 'pg';
import { priceOrder, type OrderLimits, type PlacedOrder, type PricedOrder } from '../../domain/orders/price-order.ts';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { OrderRefusal } from '../../domain/orders/codes.ts';

type Row = PlacedOrder & { readonly orderId: string };

/** Checks orders against customers, catalogue and limits, and writes our prices into their lines. */
export async function validateOrders(
  client: pg.ClientBase,
  works: readonly StepWork[],
  limits: OrderLimits,
): Promise<readonly StepResult<OrderRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const orders = await readOrders(client, { tenantId, orderIds: works.map(({ processId }) => processId) });
  const priced = works.map(({ processId }) => {
    const order = orders.get(processId);
    if (order === undefined) throw new Error('a process has no order');
    return { orderId: processId, currency: order.currency, pricing: priceOrder(order, limits) };
  });
  await writePrices(client, { tenantId, priced });
  return priced.map(({ pricing, currency }) =>
    pricing.isDone ? { isDone: true, result: { totalMinor: pricing.totalMinor, currency } } : pricing,
  );
}

async function readOrders(
  client: pg.ClientBase,
  { tenantId, orderIds }: { tenantId: string; orderIds: readonly string[] },
): Promise<Map<string, PlacedOrder>> {
  const { rows } = await client.query<Row>({
    name: 'read-placed-orders',
    text: `
      SELECT o.id::text AS "orderId", o.currency,
        EXISTS (SELECT FROM users AS u WHERE u.tenant_id = $1 AND u.customer_id = o.customer_id AND u.status = 'active'
          AND u.deleted_at IS NULL)
          AS "isCustomerActive",
        (SELECT coalesce(json_agg(json_build_object('line', i.line, 'sku', i.sku, 'quantity', i.quantity, 'product',
            CASE WHEN p.sku IS NOT NULL THEN json_build_object('priceMinor', p.price_minor, 'currency', p.currency,
              'isActive', p.is_active) END
          ) ORDER BY i.line), '[]')
          FROM order_items AS i LEFT JOIN products AS p ON p.tenant_id = $1 AND p.sku = i.sku
          WHERE i.tenant_id = $1 AND i.order_id = o.id) AS lines
      FROM orders AS o WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`,
    values: [tenantId, orderIds],
  });
  return new Map(rows.map(({ orderId, ...order }) => [orderId, order]));
}

async function writePrices(
  client: pg.ClientBase,
  { tenantId, priced }: { tenantId: string; priced: readonly { orderId: string; pricing: PricedOrder }[] },
): Promise<void> {
  const orders = priced.flatMap(({ orderId, pricing }) =>
    pricing.isDone ? [{ orderId, totalMinor: pricing.totalMinor, lines: pricing.lines }] : [],
  );
  if (orders.length === 0) return;
  await client.query({
    name: 'write-prices',
    text: `
      WITH given AS (
        SELECT * FROM jsonb_to_recordset($2::jsonb) AS g("orderId" uuid, "totalMinor" bigint, lines jsonb)
      ), line AS (
        UPDATE order_items AS i SET unit_price_minor = l."unitPriceMinor"
        FROM given AS g, jsonb_to_recordset(g.lines) AS l(line int, "unitPriceMinor" bigint)
        WHERE i.tenant_id = $1 AND i.order_id = g."orderId" AND i.line = l.line AND i.order_id = ANY($3::uuid[])
      )
      UPDATE orders AS o SET total_minor = g."totalMinor" FROM given AS g WHERE o.tenant_id = $1
        AND o.id = g."orderId" AND o.id = ANY($3::uuid[])`,
    values: [tenantId, JSON.stringify(orders), orders.map(({ orderId }) => orderId)],
  });
}
