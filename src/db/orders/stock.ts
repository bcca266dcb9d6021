import type pg from 'pg';

/** Pieces of one product. */
export interface Pieces {
  readonly sku: string;
  readonly quantity: number;
}

/** What an order has reserved, or wants to. */
export interface Held {
  /** Null: nothing was ever reserved or released for it. */
  readonly status: 'reserved' | 'released' | 'shipped' | null;
  /** Each sku once. */
  readonly pieces: readonly Pieces[];
}

/** How the stock of products changes with one order. */
export type Move = (pieces: Pieces) => {
  readonly onHand?: number;
  readonly reserved?: number;
  readonly shipped?: number;
};

/** A line of an order, where whoever asks says what it is; else it is in the order's rows. */
export interface GivenLine extends Pieces {
  readonly orderId: string;
}

type OrderIds = { readonly tenantId: string; readonly orderIds: readonly string[] };

/**
 * Reads the lines and reservations of orders and locks their products, sorted by sku against deadlocks. `available` is
 * the number of free pieces of each product, read under the locks. The orders' own rows need no lock: every caller
 * holds the lock on the order's process, or on its stream of messages.
 */
export async function lockStock(
  client: pg.ClientBase,
  { tenantId, orderIds, lines: given }: OrderIds & { readonly lines?: readonly GivenLine[] | undefined },
): Promise<{ held: Map<string, Held>; available: Map<string, number> }> {
  const { rows } = await client.query<{
    orderId: string;
    status: Held['status'];
    sku: string;
    quantity: number;
    available: number | null;
  }>({
    name: given === undefined ? 'lock-stock' : 'lock-given-stock',
    text: `
      WITH wanted AS (${given === undefined ? LINES_OF_ORDERS : GIVEN_LINES}), stock AS (
        SELECT sku, on_hand - reserved AS available FROM products
        WHERE tenant_id = $1 AND sku = ANY(ARRAY(SELECT sku FROM wanted)) ORDER BY sku FOR NO KEY UPDATE
      )
      SELECT w.order_id::text AS "orderId", r.status::text, w.sku, w.quantity, s.available
      FROM wanted AS w LEFT JOIN stock AS s USING (sku) LEFT JOIN reservations AS r ON r.tenant_id = $1
        AND r.order_id = w.order_id AND r.order_id = ANY($2::uuid[])
      ORDER BY w.order_id, w.sku`,
    values: [
      tenantId,
      ...(given === undefined
        ? [orderIds]
        : [given.map(({ orderId }) => orderId), given.map(({ sku }) => sku), given.map(({ quantity }) => quantity)]),
    ],
  });
  const held = Map.groupBy(rows, ({ orderId }) => orderId);
  return {
    held: new Map(
      [...held].map(([orderId, lines]) => [
        orderId,
        { status: lines[0]?.status ?? null, pieces: lines.map(({ sku, quantity }) => ({ sku, quantity })) },
      ]),
    ),
    available: new Map(rows.map(({ sku, available }) => [sku, available ?? 0])),
  };
}

const LINES_OF_ORDERS = `
        SELECT order_id, sku, sum(quantity)::int AS quantity FROM order_items WHERE tenant_id = $1
          AND order_id = ANY($2::uuid[]) GROUP BY order_id, sku`;

const GIVEN_LINES = `
        SELECT order_id, sku, sum(quantity)::int AS quantity
        FROM unnest($2::uuid[], $3::text[], $4::int[]) AS given (order_id, sku, quantity) GROUP BY order_id, sku`;

/** Locks products, sorted by sku, and answers how many pieces of each are free. */
export async function lockProducts(
  client: pg.ClientBase,
  { tenantId, skus }: { tenantId: string; skus: readonly string[] },
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ sku: string; available: number }>({
    name: 'lock-products',
    values: [tenantId, skus],
    text:
      'SELECT sku, on_hand - reserved AS available FROM products WHERE tenant_id = $1 AND sku = ' +
      'ANY($2::text[]) ORDER BY sku FOR NO KEY UPDATE',
  });
  return new Map(rows.map(({ sku, available }) => [sku, available]));
}

/** Changes the stock of locked products, and what is reserved for which order, in one statement. */
export async function moveStock(
  client: pg.ClientBase,
  {
    tenantId,
    orderIds,
    status,
    pieces,
    move,
  }: OrderIds & { status: Exclude<Held['status'], null>; pieces: readonly Pieces[]; move: Move },
): Promise<void> {
  if (orderIds.length + pieces.length === 0) return;
  await client.query({
    name: 'move-stock',
    text: `
      WITH held AS (
        INSERT INTO reservations (tenant_id, order_id, status) SELECT $1, id, $3::"ReservationStatus"
          FROM unnest($2::uuid[]) AS id ORDER BY id
        ON CONFLICT (tenant_id, order_id) DO UPDATE SET status = excluded.status, updated_at = now()
      )
      UPDATE products AS p SET on_hand = p.on_hand + g."onHand", reserved = p.reserved + g.reserved,
        shipped = p.shipped + g.shipped, updated_at = now()
      FROM (
        SELECT sku, coalesce(sum("onHand"), 0) AS "onHand", coalesce(sum(reserved), 0) AS reserved,
          coalesce(sum(shipped), 0) AS shipped
        FROM jsonb_to_recordset($4::jsonb) AS each(sku text, "onHand" int, reserved int, shipped int) GROUP BY sku
      ) AS g
      WHERE p.tenant_id = $1 AND p.sku = g.sku AND p.sku = ANY($5::text[])`,
    values: [
      tenantId,
      orderIds,
      status,
      JSON.stringify(pieces.map((each) => ({ sku: each.sku, ...move(each) }))),
      pieces.map(({ sku }) => sku),
    ],
  });
}
