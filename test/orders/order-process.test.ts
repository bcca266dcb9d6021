import { randomUUID } from 'node:crypto';
import test from 'ava';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { insertOrder, type NewOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { insertRefund } from '../../src/db/orders/request-refund.ts';
import { connectDevServer } from '../support/dev-server.ts';
import { until } from '../support/until.ts';
import { createWorld, TENANT, type World } from '../support/user-world.ts';
import { losingAnswers, type Losses } from './lost-answers.ts';
import { addCustomer, newOrder } from '../support/shop.ts';

let world: World;
const losses: Losses = [];

test.before(async () => {
  world = await createWorld({
    ...(await connectDevServer()),
    env: { CUSTOMER_CREDIT_LIMIT_MINOR: '5000' },
    around: ({ payments, shipping }) => ({
      shipping,
      payments: losingAnswers(payments, { pool: () => world.db.pool, losses }),
    }),
  });
});
test.after.always(() => world?.close());

/** Places an order of a new customer for a new product of 1000 a piece, of which there are ten. */
async function place(quantity: number, order: Partial<NewOrder> = {}): Promise<{ orderId: string; sku: string }> {
  const { pool } = world.db;
  const sku = randomUUID();
  const customerId = randomUUID();
  await addCustomer(world.db, { tenantId: TENANT, customerId });
  await putProduct(pool, { tenantId: TENANT, sku, name: sku, priceMinor: 1_000, currency: 'EUR', isActive: true });
  await changeStock(pool, { tenantId: TENANT, sku, pieces: 10, effectId: randomUUID() });
  const placed = newOrder({
    tenantId: TENANT,
    customerId,
    items: [{ sku, quantity }],
    deliveryLimitMs: 3_600_000,
    now: Date.now(),
    ...order,
  });
  await insertOrder(pool, placed);
  return { orderId: placed.orderId, sku };
}

function rowOf(processId: string) {
  return world.db.inTenant(TENANT, (tx) =>
    tx.processState.findUniqueOrThrow({ where: { tenantId_processId: { tenantId: TENANT, processId } } }),
  );
}

async function untilProcess(processId: string, status: string): Promise<void> {
  await until(async () => (await rowOf(processId)).status === status, { what: `${processId} being ${status}` });
}

async function stockOf(sku: string): Promise<(number | undefined)[]> {
  const product = await findProduct(world.db.pool, { tenantId: TENANT, sku });
  return [product?.onHand, product?.reserved, product?.shipped];
}

async function paymentOf(orderId: string): Promise<{ status: string; refunded: number; transfers: string[] }> {
  return world.db.inTenant(TENANT, async (tx) => {
    const { status, refundedMinor } = await tx.payment.findFirstOrThrow({ where: { orderId } });
    const transfers = await tx.ledgerTransfer.findMany({ where: { orderId }, orderBy: { key: 'asc' } });
    return {
      status,
      refunded: Number(refundedMinor),
      transfers: transfers.map(({ key }) => key.replace(orderId, 'ID')),
    };
  });
}

function deliver(orderId: string): Promise<boolean> {
  return deliverOrder(world.db.pool, {
    tenantId: TENANT,
    processId: orderId,
    processType: 'order',
    workflowId: `order:${orderId}`,
  });
}

test.serial(
  'an order is validated, reserved, paid and shipped, waits for its delivery, and is completed by it',
  async (t) => {
    const { orderId, sku } = await place(3);
    await untilProcess(orderId, 'waiting');
    t.like(await rowOf(orderId), {
      currentStep: 'await_delivery',
      data: { totalMinor: 3_000, currency: 'EUR', paymentId: `order:${orderId}:authorise` },
    });
    t.deepEqual(await stockOf(sku), [7, 0, 3]);
    t.true(await deliver(orderId));
    await untilProcess(orderId, 'completed');
    t.deepEqual(await paymentOf(orderId), {
      status: 'captured',
      refunded: 0,
      transfers: ['order:ID:authorise', 'order:ID:capture', 'order:ID:capture:held'],
    });
    t.deepEqual(await world.client.workflow.getHandle(`order:${orderId}`).result(), {
      status: 'completed',
      cause: null,
    });
  },
);

test.serial('an order whose payment is declined is undone, with a cause to read and its stock back', async (t) => {
  const { orderId, sku } = await place(6);
  await untilProcess(orderId, 'compensated');
  t.like((await rowOf(orderId)).cause, {
    code: 'payment_declined',
    class: 'refused',
    message: "The payment was declined: it goes beyond the customer's credit.",
  });
  t.deepEqual(await stockOf(sku), [10, 0, 0]);
});

test.serial("an order that can't be shipped is undone, with its payment refunded and its stock back", async (t) => {
  const { orderId, sku } = await place(2, { shipTo: { ...newOrder({}).shipTo, country: 'NZ' } });
  await untilProcess(orderId, 'compensated');
  t.like((await rowOf(orderId)).cause, { code: 'invalid_address' });
  t.like(await paymentOf(orderId), { status: 'refunded', refunded: 2_000 });
  t.deepEqual(await stockOf(sku), [10, 0, 0]);
});

test.serial('an order is charged once though the answers to its payment get lost after their effect', async (t) => {
  losses.push({ call: 'authorise', when: 'after' }, { call: 'capture', when: 'after' });
  const { orderId } = await place(1);
  await untilProcess(orderId, 'waiting');
  t.deepEqual(losses, []);
  t.deepEqual((await paymentOf(orderId)).transfers, [
    'order:ID:authorise',
    'order:ID:capture',
    'order:ID:capture:held',
  ]);
});

test.serial('a refund waits for its goods, restocks them and pays back', async (t) => {
  const { orderId, sku } = await place(4);
  await untilProcess(orderId, 'waiting');
  await deliver(orderId);
  const refundId = randomUUID();
  await insertRefund(world.db.pool, {
    tenantId: TENANT,
    refundId,
    orderId,
    amountMinor: 1_500,
    currency: 'EUR',
    items: [{ sku, quantity: 1 }],
    returnLimitMs: 3_600_000,
    now: Date.now(),
  });
  await untilProcess(refundId, 'waiting');
  await world.client.workflow.getHandle(`refund:${refundId}`).signal('goodsReturned');
  await untilProcess(refundId, 'completed');
  t.deepEqual(await stockOf(sku), [7, 0, 3]);
  t.like(await paymentOf(orderId), { status: 'captured', refunded: 1_500 });
});
