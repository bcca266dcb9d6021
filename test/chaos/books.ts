import { ALL_TENANTS, type Db } from '../../src/postgres/client.ts';

/** A sentence about what does not add up; none: the books are in order. */
export type Discrepancies = readonly string[];

/** What must hold whatever happened, as queries that find where it does not. */
const RULES: Readonly<Record<string, string>> = {
  'a completed order is paid in full, one that was undone not at all': `
    SELECT o.id::text AS what, p.status::text,
      coalesce(sum(pay.amount_minor - pay.refunded_minor) FILTER (WHERE pay.status IN ('captured', 'refunded')),
      0)::text AS paid
    FROM orders o JOIN process_states p ON p.tenant_id = o.tenant_id AND p.process_id = o.id
      LEFT JOIN payments pay ON pay.tenant_id = o.tenant_id AND pay.order_id = o.id
    WHERE p.status IN ('completed', 'waiting', 'compensated', 'cancelled') GROUP BY o.id, p.status, o.total_minor
    HAVING coalesce(sum(pay.amount_minor - pay.refunded_minor) FILTER (WHERE pay.status IN ('captured', 'refunded')), 0)
      <> CASE WHEN p.status IN ('completed', 'waiting') THEN o.total_minor ELSE 0 END`,
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
  'pieces are in the warehouse, and reserved, or shipped': `
    SELECT product.sku AS what, product.on_hand::text, product.reserved::text, product.shipped::text
      FROM products product
    WHERE product.reserved <> (SELECT coalesce(sum(i.quantity), 0) FROM order_items i
      JOIN reservations r USING (tenant_id, order_id)
        WHERE i.tenant_id = product.tenant_id AND i.sku = product.sku AND r.status = 'reserved')
      OR product.shipped <> (SELECT coalesce(sum(i.quantity), 0) FROM order_items i
        JOIN reservations r USING (tenant_id, order_id)
        WHERE i.tenant_id = product.tenant_id AND i.sku = product.sku AND r.status = 'shipped')`,
  'what was undone holds no piece, what is done holds none back': `
    SELECT o.id::text AS what, p.status::text, r.status::text AS reservation FROM orders o
      JOIN process_states p ON p.tenant_id = o.tenant_id AND p.process_id = o.id
      JOIN reservations r ON r.tenant_id = o.tenant_id AND r.order_id = o.id
    WHERE (p.status IN ('compensated', 'cancelled') AND r.status <> 'released')
      OR (p.status IN ('completed', 'waiting') AND r.status <> 'shipped')`,
  'no undo of a process took effect twice': `
    SELECT process_id::text AS what, step, count(*)::text AS times FROM process_events
    WHERE type = 'StepCompensated' GROUP BY process_id, step HAVING count(*) > 1`,
  'every order is at its end, or waits for an operator': `
    SELECT process_id::text AS what, status::text, current_step FROM process_states
    WHERE status IN ('running', 'waiting', 'compensating')`,
};

/** Looks for what does not add up. `received` is how many pieces of each product ever came in. */
export async function audit({ pool }: Pick<Db, 'pool'>, received: number): Promise<Discrepancies> {
  const client = await pool.connect();
  try {
    await client.query(`SELECT set_config('steadfast.tenant', '*', false)`);
    const found: string[] = [];
    for (const [rule, query] of Object.entries(RULES)) {
      const { rows } = await client.query<Record<string, unknown>>(query);
      found.push(...rows.map((row) => `${rule}: ${JSON.stringify(row)}`));
    }
    const { rows: lost } = await client.query<Record<string, unknown>>(
      'SELECT sku, on_hand, shipped FROM products WHERE on_hand + shipped <> $1',
      [received],
    );
    return [...found, ...lost.map((row) => `no piece comes or goes: ${JSON.stringify(row)}`)];
  } finally {
    client.release(true);
  }
}

/** How many processes stand where. */
export async function countByStatus(db: Pick<Db, 'inTenant'>): Promise<Readonly<Record<string, number>>> {
  const groups = await db.inTenant(ALL_TENANTS, (tx) => tx.processState.groupBy({ by: ['status'], _count: true }));
  return Object.fromEntries(groups.map(({ status, _count }) => [status, _count]));
}

/** Orders whose shipment the warehouse has accepted and not delivered. */
export async function shippedOrders(db: Pick<Db, 'inTenant'>): Promise<string[]> {
  const shipments = await db.inTenant(ALL_TENANTS, (tx) =>
    tx.shipment.findMany({ where: { status: 'accepted' }, select: { orderId: true } }),
  );
  return shipments.map(({ orderId }) => orderId);
}
