import { randomUUID } from 'node:crypto';
import test from 'ava';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { spawnWorker } from '../support/processes.ts';
import { newOrder } from '../support/shop.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { addCustomer } from '../support/users.ts';
import type { World } from '../support/world.ts';
import { createCrashWorld, TENANT } from './crash-world.ts';
import { read, untilEach } from './end-state.ts';
import { walk } from './walk.ts';

const TIMEOUT_MS = 600_000;
const STOCK = 10;
const QUANTITY = 2;

const skuOf = (orderId: string): string => `MUG-${orderId.slice(0, 8)}`;

test('services killed at any statement of an order, or of its undo, do each of its steps once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t, {
    temporal: temporalAt(t, NO_TEMPORAL),
    // In partitions of their own, few wait behind one that is held.
    settings: { BUS_PARTITIONS: '64', BUS_POLL_MS: '20' },
  });
  const start = (of: World, extra: object = {}) =>
    spawnWorker(of, { ...extra, entry: 'test/crash/order-services.ts' });
  const isUndone = new Set<string>();
  const isDone = (orderId: string): Promise<boolean> =>
    read(world.system, async (tx) => {
      const status = isUndone.has(orderId) ? 'compensated' : 'waiting';
      return (await tx.processState.count({ where: { processId: orderId, status } })) === 1;
    });
  const { targets, points, kills } = await walk({
    world,
    start,
    from: /bus_messages/,
    isDone,
    begin: async (orderIds) => {
      for (const [place, orderId] of orderIds.entries()) {
        if (place % 2 === 1) isUndone.add(orderId);
        await placeOrder(world, orderId, place % 2 === 1 ? 'NZ' : 'FR');
      }
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['inbox_messages', 'WITH given', 'reservations', 'credit_accounts', 'shipments', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );

  await start(world);
  await untilEach(targets, isDone, 'the end of orders');
  for (const orderId of targets) {
    const transfers = await read(world.system, (tx) =>
      tx.ledgerTransfer.findMany({ where: { orderId }, orderBy: { key: 'asc' } }),
    );
    t.deepEqual(
      transfers.map(({ key }) => key.replace(`order:${orderId}:`, '')),
      ['authorise', 'capture', 'capture:held', ...(isUndone.has(orderId) ? ['refund'] : [])],
      orderId,
    );
    const shipped = isUndone.has(orderId) ? 0 : QUANTITY;
    t.like(
      await findProduct(world.db.pool, { tenantId: TENANT, sku: skuOf(orderId) }),
      { onHand: STOCK - shipped, reserved: 0, shipped },
      orderId,
    );
    const events = await read(world.system, (tx) =>
      tx.processEvent.findMany({ where: { processId: orderId }, orderBy: { sequence: 'asc' } }),
    );
    t.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
    const done = events.filter(({ type }) => type === 'StepCompleted').map(({ step }) => step);
    t.is(done.length, isUndone.has(orderId) ? 3 : 4, orderId);
  }
  t.deepEqual(await read(world.system, (tx) => tx.deadLetter.findMany()), []);
});

/** An order of a customer and a product of its own, so that none waits for what another locked. */
async function placeOrder({ db }: World, orderId: string, country: string): Promise<void> {
  const customerId = `of ${orderId.slice(0, 8)}`;
  const sku = skuOf(orderId);
  const product = { tenantId: TENANT, sku, name: 'Mug', priceMinor: 1_000, currency: 'EUR', isActive: true };
  await putProduct(db.pool, product);
  await changeStock(db.pool, { tenantId: TENANT, sku, pieces: STOCK, effectId: randomUUID() });
  await addCustomer(db, { tenantId: TENANT, customerId });
  const shipTo = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country };
  const items = [{ sku, quantity: QUANTITY }];
  const order = { tenantId: TENANT, orderId, customerId, items, shipTo, deliveryLimitMs: 86_400_000, now: Date.now() };
  await insertOrder(db.pool, newOrder({ ...order, mode: 'choreography', answerLimitMs: 60_000 }));
}
