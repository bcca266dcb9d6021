import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { insertRefund } from '../../src/db/orders/request-refund.ts';
import type { ProcessStatus } from '../../src/domain/process/statuses.ts';
import { spawnWorker, type Extra, type TestProcess } from '../support/processes.ts';
import { startRemoteProviders, type RemoteProviders } from '../support/remote-providers.ts';
import { newOrder } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';
import type { World } from '../support/world.ts';
import { createCrashWorld, TENANT } from './crash-world.ts';
import { read, untilEach } from './end-state.ts';
import { walk } from './walk.ts';

const TIMEOUT_MS = 600_000;
const STOCK = 1_000;
/** The first call; what comes before it is the same as with our own ledger, whose test kills there. */
const CALLS = /^call \/(payments|shipments)/;
const providers = {
  payment: { name: 'bank', isRemote: true },
  shipping: { name: 'carrier', isRemote: true },
};

test('a worker killed at any call to a bank or a carrier charges, ships and undoes once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const { world, remote } = await createShop(t);
  const isUndone = new Set<string>();
  const isDone = (orderId: string): Promise<boolean> =>
    isIn(world, orderId, isUndone.has(orderId) ? 'compensated' : 'waiting');
  const { targets, points, kills } = await walk({
    world,
    start: spawnOrderWorker,
    from: CALLS,
    isDone,
    begin: async (orderIds) => {
      for (const [place, orderId] of orderIds.entries()) {
        if (place % 2 === 1) isUndone.add(orderId);
        await placeOrder(world, orderId, place % 2 === 1 ? 'NZ' : 'FR');
      }
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  assertPoints(t, points, ['payments/authorise', 'payments/capture', 'shipments/accept', 'payments/refund']);
  await spawnOrderWorker(world);
  await untilEach(targets, isDone, 'the end of orders');
  for (const orderId of targets) {
    const moved = ['authorise', 'capture', ...(isUndone.has(orderId) ? ['refund'] : [])];
    t.deepEqual(movementsOf(remote, orderId), moved, orderId);
    // One that was tried again before it was refused is called back, against an attempt that still may arrive.
    t.is(remote.carrier.shipments.get(orderId)?.status === 'accepted', !isUndone.has(orderId), orderId);
  }
  const shipped = targets.length - isUndone.size;
  t.like(await findProduct(world.db.pool, { tenantId: TENANT, sku: 'MUG' }), {
    onHand: STOCK - shipped,
    reserved: 0,
    shipped,
  });
});

test('a worker killed at any call of a refund to a bank pays back once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const { world, remote } = await createShop(t);
  const orders = new Map<string, string>();
  const isPaid = (refundId: string): Promise<boolean> => isIn(world, refundId, 'completed');
  const { targets, points, kills } = await walk({
    world,
    start: spawnOrderWorker,
    from: CALLS,
    isDone: isPaid,
    begin: async (refundIds) => {
      const orderIds = refundIds.map(() => randomUUID());
      for (const orderId of orderIds) await placeOrder(world, orderId, 'FR');
      await untilEach(orderIds, (orderId) => isIn(world, orderId, 'waiting'), 'the shipment');
      for (const [place, refundId] of refundIds.entries()) {
        const orderId = orderIds[place] ?? '';
        orders.set(refundId, orderId);
        await deliverOrder(world.db.pool, {
          tenantId: TENANT,
          processId: orderId,
          processType: 'order',
          workflowId: `order:${orderId}`,
        });
        await askRefund(world, { orderId, refundId });
      }
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  assertPoints(t, points, ['payments/refund']);
  await spawnOrderWorker(world);
  await untilEach(targets, isPaid, 'the refund');
  for (const refundId of targets) {
    const orderId = orders.get(refundId) ?? '';
    t.is(remote.bank.payments.get(`order:${orderId}:authorise`)?.refundedMinor, 500);
    t.deepEqual(movementsOf(remote, orderId), ['authorise', 'capture', `refund:${refundId}`]);
  }
});

/** Workers were killed before and after each of the calls. */
function assertPoints(t: ExecutionContext, points: readonly string[], calls: readonly string[]): void {
  for (const call of calls)
    for (const moment of ['before', 'after'])
      t.true(
        points.some((point) => point.startsWith(`${moment} call /${call}`)),
        `${moment} ${call}`,
      );
}

/** Starts a worker whose bank and carrier are elsewhere. */
const spawnOrderWorker = (world: World, extra: Extra = {}): Promise<TestProcess> =>
  spawnWorker(world, { ...extra, entry: 'test/crash/order-worker.ts' });

async function createShop(t: ExecutionContext): Promise<{ world: World; remote: RemoteProviders }> {
  const remote = await startRemoteProviders(t, { limitMinor: 1_000_000, countries: ['FR'] });
  const world = await createCrashWorld(t, { settings: { PROVIDERS_URL: remote.url } });
  const { pool } = world.db;
  await putProduct(pool, {
    tenantId: TENANT,
    sku: 'MUG',
    name: 'Mug',
    priceMinor: 1_000,
    currency: 'EUR',
    isActive: true,
  });
  await changeStock(pool, { tenantId: TENANT, sku: 'MUG', pieces: STOCK, effectId: randomUUID() });
  return { remote, world };
}

async function placeOrder({ db }: World, orderId: string, country: string): Promise<void> {
  const customerId = `of ${orderId.slice(0, 8)}`;
  await addCustomer(db, { tenantId: TENANT, customerId });
  const shipTo = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country };
  await insertOrder(
    db.pool,
    newOrder({
      tenantId: TENANT,
      orderId,
      customerId,
      shipTo,
      providers,
      deliveryLimitMs: 86_400_000,
      now: Date.now(),
    }),
  );
}

async function askRefund({ db }: World, ids: { orderId: string; refundId: string }): Promise<void> {
  await insertRefund(db.pool, {
    tenantId: TENANT,
    ...ids,
    amountMinor: 500,
    currency: 'EUR',
    items: [],
    returnLimitMs: 0,
    payment: providers.payment,
    now: Date.now(),
  });
}

function isIn({ system }: World, processId: string, status: ProcessStatus): Promise<boolean> {
  return read(system, async (tx) => (await tx.processState.count({ where: { processId, status } })) === 1);
}

/** What the bank has of an order, by what its keys say beyond the order's. */
function movementsOf({ bank }: RemoteProviders, orderId: string): string[] {
  return (bank.movements.get(orderId) ?? []).map((key) => key.replace(`order:${orderId}:`, ''));
}
