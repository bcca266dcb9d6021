import test from 'ava';
import { releaseStock, reserveStock } from '../../src/activities/orders/reserve-stock.ts';
import { fileScope } from '../support/file-scope.ts';
import { openShop, type Shop } from '../support/shop.ts';

const scope = fileScope();
let shop: Shop;
test.before(async () => {
  shop = await openShop(scope);
});

const several = (count: number, items: { sku: string; quantity: number }[]): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => shop.place({ items })));

test('reserveStock sells exactly 10 pieces to 50 orders at once', async (t) => {
  await shop.stock('TEN', 10);
  const orders = await several(50, [{ sku: 'TEN', quantity: 1 }]);
  const outcomes = (await Promise.all(orders.map((orderId) => shop.outcomes(reserveStock, [orderId])))).flat();
  t.is(outcomes.filter((outcome) => outcome === 'done').length, 10);
  t.is(outcomes.filter((outcome) => outcome === 'out_of_stock').length, 40);
  t.deepEqual(await shop.pieces('TEN'), [10, 10, 0]);
});

test('reserveStock never deadlocks orders that name the same products in different orders', async (t) => {
  await Promise.all(['X1', 'X2', 'X3'].map((sku) => shop.stock(sku, 40)));
  const skus = [
    ['X1', 'X2', 'X3'],
    ['X3', 'X2', 'X1'],
    ['X2', 'X3', 'X1'],
    ['X3', 'X1', 'X2'],
  ];
  const orders = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      shop.place({ items: (skus[n % 4] ?? []).map((sku) => ({ sku, quantity: 1 })) }),
    ),
  );
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => shop.outcomes(reserveStock, orders.slice(n * 2, n * 2 + 2))),
  );
  t.true(outcomes.flat().every((outcome) => outcome === 'done'));
  await Promise.all(orders.map((orderId) => shop.outcomes(releaseStock, [orderId])));
  t.deepEqual(await shop.pieces('X2'), [40, 0, 0]);
});

test('reserveStock reserves each order of a list in whole or not at all, first come first served', async (t) => {
  await Promise.all([shop.stock('A', 3), shop.stock('B', 1)]);
  const both = [
    { sku: 'A', quantity: 1 },
    { sku: 'B', quantity: 1 },
  ];
  const orders = [...(await several(2, both)), ...(await several(1, [{ sku: 'A', quantity: 2 }]))];
  const results = await shop.run(reserveStock, orders);
  t.deepEqual(results, [
    { isDone: true },
    { isDone: false, code: 'out_of_stock', message: 'There are not enough pieces of B.' },
    { isDone: true },
  ]);
  t.deepEqual(
    [await shop.pieces('A'), await shop.pieces('B')],
    [
      [3, 3, 0],
      [1, 1, 0],
    ],
  );
});

test('reserveStock adds up lines of the same product', async (t) => {
  await shop.stock('C', 3);
  const orderId = await shop.place({
    items: [
      { sku: 'C', quantity: 2 },
      { sku: 'C', quantity: 2 },
    ],
  });
  t.deepEqual(await shop.outcomes(reserveStock, [orderId]), ['out_of_stock']);
  t.deepEqual(await shop.pieces('C'), [3, 0, 0]);
});

test('reserveStock and releaseStock have their effect once however often they are called', async (t) => {
  await shop.stock('D', 5);
  const orderId = await shop.place({ items: [{ sku: 'D', quantity: 2 }] });
  for (const step of [reserveStock, reserveStock]) t.deepEqual(await shop.outcomes(step, [orderId]), ['done']);
  t.deepEqual(await shop.pieces('D'), [5, 2, 0]);
  for (const step of [releaseStock, releaseStock]) t.deepEqual(await shop.outcomes(step, [orderId]), ['done']);
  t.deepEqual(await shop.pieces('D'), [5, 0, 0]);
});

test('releaseStock before reserveStock changes nothing and refuses what comes late', async (t) => {
  await shop.stock('E', 5);
  const orderId = await shop.place({ items: [{ sku: 'E', quantity: 2 }] });
  t.deepEqual(await shop.outcomes(releaseStock, [orderId]), ['done']);
  t.deepEqual(await shop.outcomes(reserveStock, [orderId]), ['order_undone']);
  t.deepEqual(await shop.pieces('E'), [5, 0, 0]);
});

test("a product can't have more reserved than there is, whatever code forgets", async (t) => {
  await shop.stock('F', 1);
  await t.throwsAsync(shop.read("UPDATE products SET reserved = 2 WHERE sku = 'F'"), {
    message: /products_reserved_check/,
  });
});
