import test from 'ava';
import { putProduct } from '../../src/db/orders/products.ts';
import { fileScope } from '../support/file-scope.ts';
import { openShop, type Shop } from '../support/shop.ts';

const scope = fileScope();
let shop: Shop;
test.before(async () => {
  shop = await openShop(scope);
  await shop.addCustomer('customer-1');
  await shop.stock('MUG', 0, { priceMinor: 1_250 });
  await shop.stock('TEA', 0, { priceMinor: 399 });
  await shop.stock('OLD', 0, { isActive: false });
  await shop.stock('CHF', 0, { currency: 'CHF' });
});

test('validateOrder writes our prices into valid orders, with an outcome for each of a list', async (t) => {
  const good = await shop.place({
    items: [
      { sku: 'MUG', quantity: 2 },
      { sku: 'TEA', quantity: 1 },
    ],
  });
  const orders = [
    good,
    await shop.place({ items: [{ sku: 'OLD', quantity: 1 }] }),
    await shop.place({ items: [{ sku: 'CHF', quantity: 1 }] }),
  ];
  const results = await shop.run(shop.validate, orders);
  t.deepEqual(results[0], { isDone: true, result: { totalMinor: 2_899, currency: 'EUR' } });
  t.like(results[1], { code: 'product_not_available' });
  t.like(results[2], { code: 'currency_mismatch' });
  const lines = await shop.read(
    'SELECT unit_price_minor::int AS price, total_minor::int AS total FROM order_items JOIN orders ON id = ' +
      'order_id WHERE id = $1 ORDER BY line',
    [good],
  );
  t.deepEqual(lines, [
    { price: 1_250, total: 2_899 },
    { price: 399, total: 2_899 },
  ]);
});

test('an order keeps the prices that it was validated with', async (t) => {
  await shop.stock('RISING', 0, { priceMinor: 100 });
  const orderId = await shop.placeValid({ items: [{ sku: 'RISING', quantity: 1 }] });
  await putProduct(shop.db.pool, {
    tenantId: 'test',
    sku: 'RISING',
    name: 'Rising',
    priceMinor: 900,
    currency: 'EUR',
    isActive: true,
  });
  t.deepEqual(await shop.read('SELECT total_minor::int AS total FROM orders WHERE id = $1', [orderId]), [
    { total: 100 },
  ]);
});

test('validateOrder refuses a customer who has no active user', async (t) => {
  await shop.addCustomer('suspended');
  await shop.read("UPDATE users SET status = 'suspended' WHERE customer_id = 'suspended'");
  const orders = [
    await shop.place({ customerId: 'nobody' }),
    await shop.place({ customerId: 'suspended' }),
    await shop.place(),
  ];
  t.deepEqual(await shop.outcomes(shop.validate, orders), ['customer_not_active', 'customer_not_active', 'done']);
});
