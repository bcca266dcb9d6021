import type pg from 'pg';
import { findAllEnded } from '../../src/db/left-overs.ts';
import type { SystemDb } from '../../src/postgres/client.ts';

/** A sentence about what does not add up; none: the books are in order. */
export type Discrepancies = readonly string[];

/** What must hold whatever happened, as queries that find where it does not. */
const MONEY: Readonly<Record<string, string>> = {
  'a completed order is paid in full but for what was refunded or settled, any other that is over not at all': `
    SELECT o.id::text AS what, p.status::text, paid.minor::text AS paid
    FROM orders o JOIN process_states p ON p.tenant_id = o.tenant_id AND p.process_id = o.id
      CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor - refunded_minor), 0) AS minor FROM payments pay
        WHERE pay.tenant_id = o.tenant_id AND pay.order_id = o.id AND pay.status IN ('captured', 'refunded')) AS paid
      CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS minor FROM refunds f
        WHERE f.tenant_id = o.tenant_id AND f.order_id = o.id AND f.status = 'paid') AS refunded
      CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS minor FROM settlements s
        WHERE s.tenant_id = o.tenant_id AND s.order_id = o.id AND s.settled_id = o.id
          AND s.payment_at IS NOT NULL) AS settled
    WHERE p.status IN ('completed', 'waiting', 'compensated', 'cancelled', 'abandoned') AND paid.minor
      <> CASE WHEN p.status IN ('completed', 'waiting') THEN o.total_minor - refunded.minor - settled.minor ELSE 0 END`,
  'no sum is set aside for what is over': `
    SELECT pay.key AS what FROM payments pay
      JOIN process_states p ON p.tenant_id = pay.tenant_id AND p.process_id = pay.order_id
    WHERE pay.status = 'authorised' AND p.status IN ('completed', 'compensated', 'cancelled', 'abandoned')`,
  'the ledger says of each payment what the payment says': `
    SELECT pay.key AS what, pay.status::text FROM payments pay
    WHERE (pay.status = 'captured') <> EXISTS (
        SELECT FROM ledger_transfers t WHERE t.tenant_id = pay.tenant_id AND t.order_id = pay.order_id
          AND t.key LIKE '%:capture')
      AND pay.status <> 'refunded'`,
  'customers owe and have set aside what their payments say': `
    SELECT a.customer_id AS what, a.held_minor::text, a.owed_minor::text FROM credit_accounts a
    WHERE a.held_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM payments p
        WHERE p.tenant_id = a.tenant_id AND p.customer_id = a.customer_id AND p.currency = a.currency
          AND p.status = 'authorised')
      OR a.owed_minor <> (SELECT coalesce(sum(amount_minor - refunded_minor), 0) FROM payments p
        WHERE p.tenant_id = a.tenant_id AND p.customer_id = a.customer_id AND p.currency = a.currency
          AND p.status IN ('captured', 'refunded'))`,
};

const GOODS: Readonly<Record<string, string>> = {
  'pieces are in the warehouse, and reserved, or shipped': `
    WITH each AS (
      SELECT i.tenant_id, i.sku, r.status, i.quantity FROM order_items i JOIN reservations r USING (tenant_id, order_id)
      UNION ALL
      SELECT f.tenant_id, i.sku, 'shipped', -i.quantity
      FROM refunds f, jsonb_to_recordset(f.items) AS i(sku text, quantity int) WHERE f.goods = 'restocked'
      UNION ALL
      SELECT s.tenant_id, i.sku, 'shipped', -i.quantity
      FROM settlements s JOIN reservations r USING (tenant_id, order_id),
        jsonb_to_recordset(s.items) AS i(sku text, quantity int)
      WHERE s.settled_id = s.order_id AND s.pieces = 'release' AND s.pieces_at IS NOT NULL AND r.status = 'shipped'
    )
    SELECT product.sku AS what, product.on_hand::text, product.reserved::text, product.shipped::text
      FROM products product
    WHERE product.reserved <> (SELECT coalesce(sum(quantity), 0) FROM each
        WHERE tenant_id = product.tenant_id AND sku = product.sku AND status = 'reserved')
      OR product.shipped <> (SELECT coalesce(sum(quantity), 0) FROM each
        WHERE tenant_id = product.tenant_id AND sku = product.sku AND status = 'shipped')`,
  'what was undone holds no piece, what is done holds none back': `
    SELECT o.id::text AS what, p.status::text, r.status::text AS reservation FROM orders o
      JOIN process_states p ON p.tenant_id = o.tenant_id AND p.process_id = o.id
      JOIN reservations r ON r.tenant_id = o.tenant_id AND r.order_id = o.id
    WHERE (p.status IN ('compensated', 'cancelled') AND r.status <> 'released')
      OR (p.status IN ('completed', 'waiting') AND r.status <> 'shipped')
      OR (p.status = 'abandoned' AND r.status = 'reserved')`,
  'a shipment is under way for an order that waits for it alone': `
    SELECT s.order_id::text AS what, p.status::text FROM shipments s
      JOIN process_states p ON p.tenant_id = s.tenant_id AND p.process_id = s.order_id
    WHERE s.status = 'accepted' AND p.status IN ('compensated', 'cancelled', 'abandoned')`,
  'no undo of a process took effect twice': `
    SELECT process_id::text AS what, step, count(*)::text AS times FROM process_events
    WHERE type = 'StepCompensated' GROUP BY process_id, step HAVING count(*) > 1`,
  'every order is at its end, or waits for an operator': `
    SELECT process_id::text AS what, status::text, current_step FROM process_states
    WHERE status IN ('running', 'waiting', 'compensating')`,
};

/**
 * Looks for what does not add up. `received` is how many pieces of each product ever came in; the money of payments
 * that are not on our ledger is not ours to audit.
 */
export async function audit(
  { pool }: Pick<SystemDb, 'pool'>,
  received: number,
  { isOnLedger = true } = {},
): Promise<Discrepancies> {
  const client = await pool.connect();
  try {
    const found: string[] = [];
    for (const [rule, query] of Object.entries(isOnLedger ? { ...MONEY, ...GOODS } : GOODS)) {
      const { rows } = await client.query<Record<string, unknown>>(query);
      found.push(...rows.map((row) => `${rule}: ${JSON.stringify(row)}`));
    }
    const { rows: lost } = await client.query<Record<string, unknown>>(
      'SELECT sku, on_hand, shipped FROM products WHERE on_hand + shipped <> $1',
      [received],
    );
    found.push(...(await leftOvers(client)));
    return [...found, ...lost.map((row) => `no piece comes or goes: ${JSON.stringify(row)}`)];
  } finally {
    client.release(true);
  }
}

/** What was ended by hand and never settled. */
async function leftOvers(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ tenantId: string; processType: string; processIds: string[] }>(
    `SELECT tenant_id AS "tenantId", process_type AS "processType", array_agg(process_id::text) AS "processIds"
     FROM process_states GROUP BY 1, 2`,
  );
  const found: string[] = [];
  for (const { tenantId, processType, processIds } of rows)
    for (const { type, id, leftOver } of await findAllEnded(client, { tenantId, processType, processIds }))
      if (Object.keys(leftOver).length > 0)
        found.push(`nothing is left over: ${type} ${id} ${JSON.stringify(leftOver)}`);
  return found;
}

/** How many processes stand where. */
export async function countByStatus(
  system: Pick<SystemDb, 'acrossTenants'>,
): Promise<Readonly<Record<string, number>>> {
  const groups = await system.acrossTenants((tx) => tx.processState.groupBy({ by: ['status'], _count: true }));
  return Object.fromEntries(groups.map(({ status, _count }) => [status, _count]));
}

/** Orders whose shipment the warehouse has accepted and not delivered. */
export async function shippedOrders(system: Pick<SystemDb, 'acrossTenants'>): Promise<string[]> {
  const shipments = await system.acrossTenants((tx) =>
    tx.shipment.findMany({ where: { status: 'accepted' }, select: { orderId: true } }),
  );
  return shipments.map(({ orderId }) => orderId);
}
