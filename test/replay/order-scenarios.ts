import { randomUUID } from 'node:crypto';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { insertOrder, type NewOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, putProduct } from '../../src/db/orders/products.ts';
import { LEDGER, type DeliveryOutcome } from '../../src/domain/orders/order-process.ts';
import { settleLeftOver } from '../../src/db/orders/settle-left-over.ts';
import { insertRefund } from '../../src/db/orders/request-refund.ts';
import { processWorkflowId } from '../../src/workflows/process/process.messages.ts';
import { newOrder } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';
import { until } from '../support/until.ts';
import { TENANT, type UserWorld } from '../support/user-world.ts';
import type { Scenario } from './scenarios.ts';

/** Places an order for a product of its own, of which there are ten. */
async function place({ db }: UserWorld, order: Partial<NewOrder> = {}, quantity = 2): Promise<string> {
  const [sku, customerId] = [randomUUID(), randomUUID()];
  await addCustomer(db, { tenantId: TENANT, customerId });
  await putProduct(db.pool, { tenantId: TENANT, sku, name: 'Mug', priceMinor: 1_000, currency: 'EUR', isActive: true });
  await changeStock(db.pool, { tenantId: TENANT, sku, pieces: 10, effectId: randomUUID() });
  const placed = newOrder({
    tenantId: TENANT,
    customerId,
    items: [{ sku, quantity }],
    deliveryLimitMs: 3_600_000,
    now: Date.now(),
    ...order,
  });
  await insertOrder(db.pool, placed);
  return placed.orderId;
}
const handleOf = ({ client }: UserWorld, type: string, processId: string) =>
  client.workflow.getHandle(processWorkflowId({ type, processId }));
const untilStatus = ({ db }: UserWorld, processId: string, status: string): Promise<void> =>
  until(
    () =>
      db.inTenant(
        TENANT,
        async (tx) =>
          (await tx.processState.count({
            where: { processId, status: { equals: status === 'waiting' ? 'waiting' : 'completed' } },
          })) === 1,
      ),
    { what: status },
  );
async function delivered(world: UserWorld, outcome: DeliveryOutcome = 'delivered'): Promise<string> {
  const processId = await place(world);
  await untilStatus(world, processId, 'waiting');
  await deliverOrder(world.db.pool, {
    tenantId: TENANT,
    processId,
    processType: 'order',
    workflowId: processWorkflowId({ type: 'order', processId }),
    outcome,
  });
  await untilStatus(world, processId, 'completed');
  return processId;
}

/** The ways that orders and refunds go, by the name of the fixture. */
export const ORDER_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'order-delivered': async (world) => [handleOf(world, 'order', await delivered(world))],

  'order-out-of-stock': async (world) => {
    const handle = handleOf(world, 'order', await place(world, {}, 11));
    await until(
      () =>
        handle.describe().then(
          ({ status }) => status.name === 'COMPLETED',
          () => false,
        ),
      { what: 'the end' },
    );
    return [handle];
  },

  'order-not-shipped': async (world) => {
    const shipTo = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country: 'ZZ' };
    const handle = handleOf(world, 'order', await place(world, { shipTo }));
    await until(
      () =>
        handle.describe().then(
          ({ status }) => status.name === 'COMPLETED',
          () => false,
        ),
      { what: 'the end' },
    );
    return [handle];
  },

  'refund-paid-back': async (world) => {
    const orderId = await delivered(world);
    const refundId = randomUUID();
    await insertRefund(world.db.pool, {
      tenantId: TENANT,
      refundId,
      orderId,
      amountMinor: 500,
      currency: 'EUR',
      items: [],
      returnLimitMs: 0,
      payment: LEDGER,
      now: Date.now(),
    });
    await untilStatus(world, refundId, 'completed');
    return [handleOf(world, 'refund', refundId)];
  },

  'refund-of-goods-that-never-came': async (world) => {
    const orderId = await delivered(world);
    const refundId = randomUUID();
    await insertRefund(world.db.pool, {
      tenantId: TENANT,
      refundId,
      orderId,
      amountMinor: 500,
      currency: 'EUR',
      items: [],
      returnLimitMs: 1_000,
      payment: LEDGER,
      now: Date.now(),
    });
    const handle = handleOf(world, 'refund', refundId);
    await until(
      () =>
        handle.describe().then(
          ({ status }) => status.name === 'COMPLETED',
          () => false,
        ),
      { what: 'the end' },
    );
    return [handle];
  },

  'settlement-of-a-returned-order': async (world) => {
    const processId = await delivered(world, 'returned');
    const settlementId = randomUUID();
    await settleLeftOver(world.db.pool, {
      tenantId: TENANT,
      settlementId,
      settled: { processId, processType: 'order' },
      asked: { payment: 'refund', pieces: 'release' },
      decided: { command: 'settle', by: 'ann', reason: 'because', at: Date.now() },
    });
    await untilStatus(world, settlementId, 'completed');
    return [handleOf(world, 'settlement', settlementId)];
  },
};
