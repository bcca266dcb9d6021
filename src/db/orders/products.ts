import { runStatement } from '../../postgres/statement.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** What the catalogue says of a product. */
export interface CatalogueEntry {
  readonly sku: string;
  readonly name: string;
  readonly priceMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly isActive: boolean;
}

/** A product with its stock in pieces. */
export interface Product extends CatalogueEntry {
  /** In the warehouse, reserved ones among them. */
  readonly onHand: number;
  readonly reserved: number;
  readonly shipped: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

// A price is below 2^53, which a double holds exactly.
const COLUMNS = `sku, name, price_minor::float8 AS "priceMinor", currency, is_active AS "isActive", on_hand AS "onHand",
  reserved, shipped,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/**
 * Inserts or changes a product in the catalogue and leaves its stock alone. Orders keep the prices they were validated
 * with.
 */
export async function putProduct(
  pool: TenantPool,
  { tenantId, sku, name, priceMinor, currency, isActive }: CatalogueEntry & { tenantId: string },
): Promise<{ product: Product; isNew: boolean }> {
  const [row] = await runStatement<Product & { isNew: boolean }>(pool, tenantId, {
    name: 'put-product',
    text: `
      INSERT INTO products (tenant_id, sku, name, price_minor, currency, is_active) VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (tenant_id, sku) DO UPDATE SET
        name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency,
          is_active = excluded.is_active, updated_at = now()
      RETURNING ${COLUMNS}, xmax = 0 AS "isNew"`, // only a row that was there before has been locked
    values: [tenantId, sku, name, priceMinor, currency, isActive],
  });
  if (row === undefined) throw new Error('the product was not written');
  const { isNew, ...product } = row;
  return { product, isNew };
}

/** Name under which the inbox records changes of stock. */
const STOCK_CHANGES = 'stock';

/** What became of a change of stock. */
export type StockChange =
  | { readonly kind: 'changed'; readonly product: Product }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'reserved'; readonly product: Product };

/**
 * Adds pieces that came in, or takes off those that were missing (a negative number), never what is reserved for
 * orders. A change has its effect once for its `effectId`.
 */
export async function changeStock(
  pool: TenantPool,
  { tenantId, sku, pieces, effectId }: { tenantId: string; sku: string; pieces: number; effectId: string },
): Promise<StockChange> {
  const [product] = await runStatement<Product>(pool, tenantId, {
    name: 'change-stock',
    text: `
      WITH fitting AS (
        SELECT FROM products WHERE tenant_id = $1 AND sku = $2 AND on_hand::bigint + $3::int BETWEEN reserved
          AND 2147483647 FOR UPDATE
      ), first AS (
        INSERT INTO inbox_messages (tenant_id, consumer, message_id) SELECT $1, '${STOCK_CHANGES}', $4 FROM fitting
          ON CONFLICT DO NOTHING RETURNING 1
      )
      UPDATE products SET on_hand = on_hand + $3::int, updated_at = now()
      WHERE tenant_id = $1 AND sku = $2 AND EXISTS (SELECT FROM first) RETURNING ${COLUMNS}`,
    values: [tenantId, sku, pieces, effectId],
  });
  return product === undefined ? unchanged(pool, { tenantId, sku, effectId }) : { kind: 'changed', product };
}

async function unchanged(
  pool: TenantPool,
  { tenantId, sku, effectId }: { tenantId: string; sku: string; effectId: string },
): Promise<StockChange> {
  const [row] = await runStatement<Product & { isKnown: boolean }>(pool, tenantId, {
    name: 'unchanged-stock',
    text: `SELECT ${COLUMNS}, EXISTS (SELECT FROM inbox_messages WHERE tenant_id = $1 AND consumer = '${STOCK_CHANGES}'
      AND message_id = $3) AS "isKnown"
      FROM products WHERE tenant_id = $1 AND sku = $2`,
    values: [tenantId, sku, effectId],
  });
  if (row === undefined) return { kind: 'not_found' };
  const { isKnown, ...product } = row;
  return { kind: isKnown ? 'changed' : 'reserved', product };
}

/** The product, active or not. */
export async function findProduct(
  pool: TenantPool,
  { tenantId, sku }: { tenantId: string; sku: string },
): Promise<Product | undefined> {
  const [product] = await runStatement<Product>(pool, tenantId, {
    name: 'find-product',
    text: `SELECT ${COLUMNS} FROM products WHERE tenant_id = $1 AND sku = $2`,
    values: [tenantId, sku],
  });
  return product;
}

/** Up to `limit` products in the order of their skus, those after `after`. */
export async function listProducts(
  pool: TenantPool,
  {
    tenantId,
    after = null,
    isActive = null,
    limit,
  }: { tenantId: string; after?: string | null; isActive?: boolean | null; limit: number },
): Promise<Product[]> {
  return runStatement<Product>(pool, tenantId, {
    // A plan for each selection, so that an index serves each in order.
    name: isActive === null ? 'list-products' : 'list-products-by-activity',
    text: `SELECT ${COLUMNS} FROM products
      WHERE tenant_id = $1 AND sku > $2 ${isActive === null ? '' : 'AND is_active = $4'} ORDER BY sku LIMIT $3`,
    values: [tenantId, after ?? '', limit, ...(isActive === null ? [] : [isActive])],
    isOrdered: true,
  });
}
