import { z } from 'zod';
import { changeStock, findProduct, listProducts, putProduct, type Product } from '../../db/orders/products.ts';
import { currency, MAX_MINOR, sku } from './order.schemas.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { instant, pageLimit, pageOf, trimmedText } from '../http/values.ts';

const params = z.object({ sku });
const EVERYBODY = ['user', 'service', 'operator', 'admin'] as const;
const MOST_PIECES = 1_000_000_000;

const catalogueFields = {
  name: trimmedText(200),
  priceMinor: z
    .number()
    .int()
    .min(0)
    .max(MAX_MINOR / 1_000)
    .meta({ description: 'Of one piece, in minor units of the currency' }),
  currency,
};
const productSchema = z
  .strictObject({
    sku: z.string(),
    name: z.string(),
    priceMinor: z.number().int(),
    currency: z.string(),
    isActive: z.boolean().meta({ description: 'Whether it can be ordered' }),
    onHand: z.number().int().meta({ description: 'Pieces in the warehouse, reserved ones among them' }),
    reserved: z.number().int(),
    shipped: z.number().int(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Product' });

const list = route(
  {
    method: 'get',
    path: '/products',
    operationId: 'listProducts',
    tag: 'Products',
    roles: EVERYBODY,
    scope: 'products:read',
    summary: 'Lists products in the order of their skus',
    query: z.strictObject({
      isActive: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .optional(),
      limit: pageLimit,
      cursor: sku.optional(),
    }),
    statuses: { 200: 'A page of products' },
    answer: pageOf(productSchema),
    errors: [],
  },
  async ({ deps, caller: { tenantId }, query: { limit, cursor, isActive } }) => {
    const products = await listProducts(deps.db.pool, {
      tenantId,
      after: cursor ?? null,
      isActive: isActive ?? null,
      limit: limit + 1,
    });
    const page = products.slice(0, limit);
    return {
      status: 200,
      body: { items: page.map(productAnswer), nextCursor: products.length > limit ? (page.at(-1)?.sku ?? null) : null },
    };
  },
);

const read = route(
  {
    method: 'get',
    path: '/products/:sku',
    operationId: 'getProduct',
    tag: 'Products',
    roles: EVERYBODY,
    scope: 'products:read',
    summary: 'Reads a product',
    params,
    statuses: { 200: 'The product' },
    answer: productSchema,
    errors: ['product_not_found'],
  },
  async ({ deps, caller: { tenantId }, params: { sku: wanted } }) => {
    const product = await findProduct(deps.db.pool, { tenantId, sku: wanted });
    if (product === undefined) throw new Problem('product_not_found');
    return { status: 200, body: productAnswer(product) };
  },
);

const put = route(
  {
    method: 'put',
    path: '/products/:sku',
    operationId: 'putProduct',
    tag: 'Products',
    roles: ['admin'],
    summary: 'Writes what the catalogue says of a product; orders keep the prices they were validated with',
    params,
    body: z.strictObject({ ...catalogueFields, isActive: z.boolean().default(true) }).meta({ id: 'CatalogueEntry' }),
    statuses: { 200: 'The product as it is now', 201: 'The product is new' },
    answer: productSchema,
    errors: [],
  },
  async ({ deps, caller: { tenantId }, params: { sku: wanted }, body }) => {
    const { product, isNew } = await putProduct(deps.db.pool, { tenantId, sku: wanted, ...body });
    return {
      status: isNew ? 201 : 200,
      body: productAnswer(product),
      ...(isNew ? { headers: { Location: `/products/${wanted}` } } : {}),
    };
  },
);

const stock = route(
  {
    method: 'post',
    path: '/products/:sku/stock',
    operationId: 'changeStock',
    tag: 'Products',
    roles: ['admin'],
    summary: 'Adds pieces that came in, or corrects the count; never below what is reserved',
    params,
    body: z.union([
      z.strictObject({ received: z.number().int().min(1).max(MOST_PIECES) }),
      z.strictObject({
        correction: z
          .number()
          .int()
          .min(-MOST_PIECES)
          .max(MOST_PIECES)
          .meta({ description: 'Pieces found, or missing when negative' }),
      }),
    ]),
    statuses: { 200: 'The product as it is now' },
    answer: productSchema,
    errors: ['product_not_found', 'stock_too_low'],
    idempotent: true,
  },
  async ({ deps, caller: { tenantId }, params: { sku: wanted }, body, effectId }) => {
    const pieces = 'received' in body ? body.received : body.correction;
    const changed = await changeStock(deps.db.pool, { tenantId, sku: wanted, pieces, effectId });
    switch (changed.kind) {
      case 'changed':
        return { status: 200, body: productAnswer(changed.product) };
      case 'not_found':
        throw new Problem('product_not_found');
      default:
        throw new Problem('stock_too_low');
    }
  },
);

function productAnswer({ createdAt, updatedAt, ...product }: Product): z.input<typeof productSchema> {
  return { ...product, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

/** The catalogue and its stock. */
export const productRoutes: readonly Route[] = [list, read, put, stock];
