import test from 'ava';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { releaseStock, reserveStock } from '../../src/activities/orders/reserve-stock.ts';
import { cancelShipment, createShipment } from '../../src/activities/orders/create-shipment.ts';
import { localStep } from '../../src/activities/process/provider-step.ts';
import { createWarehouse } from '../../src/gateways/shipping/warehouse.ts';
import { fileScope } from '../support/file-scope.ts';
import { newOrder, openShop, type Shop } from '../support/shop.ts';

type Step = Parameters<Shop['run']>[0];

const scope = fileScope();
let shop: Shop;
const warehouse = createWarehouse({ countries: ['FR'] });
const ship: Step = localStep(createShipment, warehouse);
const callBack: Step = localStep(cancelShipment, warehouse);

test.before(async () => {
  shop = await openShop(scope);
});

async function reserved(sku: string, count: number, order: Parameters<Shop['place']>[0] = {}): Promise<string[]> {
  const orders = await Promise.all(
    Array.from({ length: count }, () => shop.place({ items: [{ sku, quantity: 2 }], ...order })),
  );
  await shop.run(reserveStock, orders);
  return orders;
}

test('createShipment takes the pieces out of the stock once, and keeps its shipment', async (t) => {
  await shop.stock('A', 10);
  const orders = await reserved('A', 2);
  const first = await shop.run(ship, orders);
  t.deepEqual(await shop.run(ship, orders, { attempts: 1 }), first);
  t.deepEqual(await shop.pieces('A'), [6, 0, 4]);
});

test('createShipment refuses where the warehouse does not ship to, and moves no stock', async (t) => {
  await shop.stock('B', 10);
  const { shipTo } = newOrder({});
  const far = await reserved('B', 1, { shipTo: { ...shipTo, country: 'NZ' } });
  const blank = await reserved('B', 1, { shipTo: { ...shipTo, city: ' ' } });
  const fine = await reserved('B', 1);
  t.deepEqual(await shop.outcomes(ship, [...far, ...fine, ...blank]), ['invalid_address', 'done', 'invalid_address']);
  t.deepEqual(await shop.pieces('B'), [8, 4, 2]);
});

test('cancelShipment calls back what was accepted, once, and the pieces are reserved again', async (t) => {
  await shop.stock('C', 10);
  const orders = await reserved('C', 1);
  await shop.run(ship, orders);
  for (const step of [callBack, callBack]) t.deepEqual(await shop.outcomes(step, orders), ['done']);
  t.deepEqual(await shop.pieces('C'), [10, 2, 0]);
  t.deepEqual(await shop.outcomes(ship, orders, { attempts: 1 }), ['shipment_cancelled']);
  t.deepEqual(await shop.outcomes(releaseStock, orders), ['done']);
  t.deepEqual(await shop.pieces('C'), [10, 0, 0]);
});

test('cancelShipment before createShipment changes nothing and refuses what comes late', async (t) => {
  await shop.stock('D', 10);
  const orders = await reserved('D', 1);
  t.deepEqual(await shop.outcomes(callBack, orders), ['done']);
  t.deepEqual(await shop.outcomes(ship, orders), ['shipment_cancelled']);
  t.deepEqual(await shop.pieces('D'), [10, 2, 0]);
});

test('createShipment refuses an order whose stock was released', async (t) => {
  await shop.stock('E', 10);
  const orders = await reserved('E', 1);
  await shop.run(releaseStock, orders);
  t.deepEqual(await shop.outcomes(ship, orders), ['order_undone']);
});

test('what was delivered is neither called back nor released', async (t) => {
  await shop.stock('F', 10);
  const [orderId = ''] = await reserved('F', 1);
  await shop.run(ship, [orderId]);
  t.is(
    await deliverOrder(shop.db.pool, {
      tenantId: 'test',
      processId: orderId,
      processType: 'order',
      workflowId: `order:${orderId}`,
    }),
    'told',
  );
  t.deepEqual(await shop.outcomes(callBack, [orderId]), ['already_delivered']);
  t.deepEqual(await shop.outcomes(releaseStock, [orderId]), ['already_shipped']);
  t.deepEqual(await shop.pieces('F'), [8, 0, 2]);
});
