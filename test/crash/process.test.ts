import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { processStateQuery, processWorkflowId } from '../../src/workflows/process/process.messages.ts';
import { newOrder } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';
import { assertNothingLeft, read, untilEach } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld, TENANT } from './crash-world.ts';
import type { World } from '../support/world.ts';
import { spawnWorker } from '../support/processes.ts';

const TIMEOUT_MS = 600_000;
const STOCK = 10;
const QUANTITY = 2;
/** The first look at the row. */
const BEGINS = /process_states/;
const DONE = ['validate_order', 'reserve_inventory', 'process_payment', 'create_shipment'];
const UNDONE = ['process_payment', 'reserve_inventory'];

test('a worker killed at any statement of an order takes each of its steps once', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t);
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: BEGINS,
    begin: (orders) => place(world, orders, 'FR'),
    isDone: (orderId) => isIn(world, orderId, 'waiting'),
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['WITH given', 'reservations', 'credit_accounts', 'shipments', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );

  await spawnWorker(world);
  await untilEach(targets, (orderId) => isIn(world, orderId, 'waiting'), 'the shipment');
  for (const orderId of targets) {
    t.deepEqual(await movementsOf(world, orderId), ['authorise', 'capture', 'capture:held']);
    await assertTimeline(t, world, orderId, { completed: DONE, compensated: [] });
    t.like(await world.client.workflow.getHandle(workflowOf(orderId)).query(processStateQuery), {
      status: 'waiting',
      currentStep: 'await_delivery',
      refused: [],
    });
  }
  await assertStock(t, world, targets, { shipped: QUANTITY });
  await assertNothingLeft(t, world, targets.map(workflowOf));
});

test('a worker killed at any statement of an order turned back skips no undo and repeats none', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t);
  const isUndone = (orderId: string): Promise<boolean> => isIn(world, orderId, 'compensated');
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: BEGINS,
    begin: (orders) => place(world, orders, 'NZ'),
    isDone: isUndone,
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  for (const statement of ['WITH given', 'reservations', 'credit_accounts', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );

  await spawnWorker(world);
  await untilEach(targets, isUndone, 'the undo');
  for (const orderId of targets) {
    t.deepEqual(await movementsOf(world, orderId), ['authorise', 'capture', 'capture:held', 'refund']);
    await assertTimeline(t, world, orderId, { completed: DONE.slice(0, -1), compensated: UNDONE });
    const result: unknown = await world.client.workflow.getHandle(workflowOf(orderId)).result();
    t.like(result, { status: 'compensated', cause: { code: 'invalid_address', class: 'refused' } });
  }
  await assertStock(t, world, targets, { shipped: 0 });
  await assertNothingLeft(t, world, []);
});

const skuOf = (orderId: string): string => `MUG-${orderId.slice(0, 8)}`;

const workflowOf = (processId: string): string => processWorkflowId({ type: 'order', processId });

/** Orders of customers and products of their own, so that none waits for what another locked; shipped to a country. */
async function place({ db }: World, orders: readonly string[], country: string): Promise<void> {
  for (const orderId of orders) {
    const customerId = `of ${orderId.slice(0, 8)}`;
    const sku = skuOf(orderId);
    await putProduct(db.pool, {
      tenantId: TENANT,
      sku,
      name: 'Mug',
      priceMinor: 1_000,
      currency: 'EUR',
      isActive: true,
    });
    await changeStock(db.pool, { tenantId: TENANT, sku, pieces: STOCK, effectId: randomUUID() });
    await addCustomer(db, { tenantId: TENANT, customerId });
    const shipTo = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country };
    await insertOrder(
      db.pool,
      newOrder({
        tenantId: TENANT,
        orderId,
        customerId,
        items: [{ sku, quantity: QUANTITY }],
        shipTo,
        deliveryLimitMs: 86_400_000,
        now: Date.now(),
      }),
    );
  }
}

function isIn({ system }: World, processId: string, status: 'waiting' | 'compensated'): Promise<boolean> {
  return read(system, async (tx) => (await tx.processState.count({ where: { processId, status } })) === 1);
}

/** What the ledger has of an order, by what its keys say beyond the order's. */
async function movementsOf({ system }: World, orderId: string): Promise<string[]> {
  const transfers = await read(system, (tx) =>
    tx.ledgerTransfer.findMany({ where: { orderId }, orderBy: { key: 'asc' } }),
  );
  return transfers.map(({ key }) => key.replace(`order:${orderId}:`, ''));
}

/** The timeline has no gap, and each step and each undo once. */
async function assertTimeline(
  t: ExecutionContext,
  { system }: World,
  processId: string,
  expected: { completed: readonly string[]; compensated: readonly string[] },
): Promise<void> {
  const events = await read(system, (tx) =>
    tx.processEvent.findMany({ where: { processId }, orderBy: { sequence: 'asc' } }),
  );
  t.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
    processId,
  );
  const stepsOf = (type: string): (string | null)[] =>
    events.filter((event) => event.type === type).map(({ step }) => step);
  t.deepEqual(stepsOf('StepCompleted'), [...expected.completed]);
  t.deepEqual(stepsOf('StepCompensated'), [...expected.compensated]);
}

/** Of each order's product, `shipped` pieces left the house, and none is kept. */
async function assertStock(
  t: ExecutionContext,
  { db }: World,
  orders: readonly string[],
  { shipped }: { shipped: number },
): Promise<void> {
  for (const orderId of orders)
    t.like(
      await findProduct(db.pool, { tenantId: TENANT, sku: skuOf(orderId) }),
      { onHand: STOCK - shipped, reserved: 0, shipped },
      orderId,
    );
}
