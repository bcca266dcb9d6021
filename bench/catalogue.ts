import { randomUUID } from 'node:crypto';
import type { Db } from '../src/postgres/client.ts';
import { putProduct, changeStock } from '../src/db/orders/products.ts';
import { rawTransaction } from '../src/postgres/transaction.ts';

const TENANT = 'default';
const SKUS = 200;
const CUSTOMERS = 1_000;

/** A warehouse that never runs out, and so many customers that hardly two order at once. */
export async function furnish({ pool }: Db): Promise<void> {
  for (let index = 0; index < SKUS; index += 1) {
    const sku = `SKU-${index}`;
    await putProduct(pool, { tenantId: TENANT, sku, name: sku, priceMinor: 1_999, currency: 'EUR', isActive: true });
    await changeStock(pool, { tenantId: TENANT, sku, pieces: 1_000_000, effectId: randomUUID() });
  }
  await rawTransaction(pool, TENANT, (client) =>
    client.query(
      `
    INSERT INTO users (tenant_id, id, auth_subject, email, status, customer_id)
    SELECT $1, gen_random_uuid(), 'customer-' || n, 'customer-' || n || '@example.com', 'active', 'customer-' || n
      FROM generate_series(0, $2 - 1) AS n`,
      [TENANT, CUSTOMERS],
    ),
  );
}

/** The order of this number. */
export function orderOf(index: number) {
  return {
    customerId: `customer-${index % CUSTOMERS}`,
    items: [{ sku: `SKU-${index % SKUS}`, quantity: 1 }],
    currency: 'EUR',
    payment: { method: 'account' },
    shipTo: { name: 'Ada', street: '1 rue de la Paix', postalCode: '75002', city: 'Paris', country: 'FR' },
  } as const;
}
