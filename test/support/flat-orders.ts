import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { acceptRefund, releaseRefund } from '../../src/activities/orders/accept-refund.ts';
import { cancelShipment, createShipment } from '../../src/activities/orders/create-shipment.ts';
import { payBack } from '../../src/activities/orders/pay-back.ts';
import { releaseStock, reserveStock } from '../../src/activities/orders/reserve-stock.ts';
import { restockGoods, unstockGoods } from '../../src/activities/orders/restock-goods.ts';
import { returnPayment, takePayment } from '../../src/activities/orders/take-payment.ts';
import { validateOrders } from '../../src/activities/orders/validate-order.ts';
import { loadConfig } from '../../src/config/config.ts';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { readConversation, stalledOrders } from '../../src/db/orders/choreography.ts';
import { findOrder } from '../../src/db/orders/order-list.ts';
import { lostOrders } from '../../src/db/orders/order-readers.ts';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { findRefund } from '../../src/db/orders/refund-list.ts';
import { settleLeftOver } from '../../src/db/orders/settle-left-over.ts';
import { findAllEnded } from '../../src/db/left-overs.ts';
import { insertRefund } from '../../src/db/orders/request-refund.ts';
import { eventsBehind } from '../../src/db/processes/process-list.ts';
import {
  beginCall,
  claimProcess,
  eventsAfter,
  lockProcesses,
  recordAttempt,
  writeProcesses,
} from '../../src/db/processes/process-rows.ts';
import { findWatched } from '../../src/db/processes/process-watch.ts';
import type { StepWork } from '../../src/domain/process/step-work.ts';
import { createLedger } from '../../src/gateways/payment/ledger/ledger.ts';
import { createWarehouse } from '../../src/gateways/shipping/warehouse.ts';
import { localStep } from '../../src/activities/process/provider-step.ts';
import { LEDGER } from '../../src/domain/orders/order-process.ts';
import type { Db } from '../../src/postgres/client.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { LARGE_TENANT as tenantId } from './large-tenant.ts';
import { newOrder, NOW } from './shop.ts';
import { addCustomer } from './users.ts';

const config = loadConfig({});
const ledger = createLedger({ creditLimitMinor: config.CUSTOMER_CREDIT_LIMIT_MINOR });
const warehouse = createWarehouse({ countries: config.SHIP_TO_COUNTRIES });
const limits = {
  maxLines: config.ORDER_MAX_LINES,
  maxQuantity: config.ORDER_MAX_QUANTITY,
  maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
};
/** Orders of which a list of steps is made. */
const LIST = 3;

type Step = (client: pg.ClientBase, works: readonly StepWork[]) => Promise<unknown>;

const STEPS = {
  validate: (client, works) => validateOrders(client, works, limits),
  reserve: reserveStock,
  pay: localStep(takePayment, ledger),
  ship: localStep(createShipment, warehouse),
  cancelShipment: localStep(cancelShipment, warehouse),
  returnPayment: localStep(returnPayment, ledger),
  releaseStock,
  acceptRefund: localStep(acceptRefund, ledger),
  payBack: localStep(payBack, ledger),
  restockGoods,
  unstockGoods,
  releaseRefund,
} as const satisfies Record<string, Step>;
type StepName = keyof typeof STEPS;

async function run(db: Db, name: StepName, ids: readonly string[], attempts = 0): Promise<void> {
  const works = ids.map((processId) => ({ tenantId, processId, data: {}, attempts }));
  const step: Step = STEPS[name];
  await rawTransaction(db.pool, tenantId, (client) => step(client, works));
}

/** Three orders of two products each, of a customer each, that have gone through these steps. */
export async function ordersAfter(db: Db, before: readonly StepName[]): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < LIST; n += 1) {
    const orderId = randomUUID();
    const items = ['a', 'b'].map((letter) => ({ sku: `${orderId}-${letter}`, quantity: 1 }));
    for (const { sku } of items) {
      await putProduct(db.pool, { tenantId, sku, name: sku, priceMinor: 100, currency: 'EUR', isActive: true });
      await changeStock(db.pool, { tenantId, sku, pieces: 10, effectId: sku });
    }
    await addCustomer(db, { tenantId, customerId: orderId });
    await insertOrder(db.pool, newOrder({ tenantId, orderId, customerId: orderId, items }));
    ids.push(orderId);
  }
  for (const name of before) await run(db, name, ids);
  return ids;
}

async function refundsAfter(db: Db, before: readonly StepName[]): Promise<string[]> {
  const ids: string[] = [];
  for (const orderId of await ordersAfter(db, ['validate', 'reserve', 'pay', 'ship'])) {
    const refundId = randomUUID();
    const items = [{ sku: `${orderId}-a`, quantity: 1 }];
    await insertRefund(db.pool, {
      tenantId,
      refundId,
      orderId,
      amountMinor: 50,
      currency: 'EUR',
      items,
      returnLimitMs: 1_000,
      payment: LEDGER,
      now: NOW,
    });
    ids.push(refundId);
  }
  for (const name of before) await run(db, name, ids);
  return ids;
}

const stepCase = (name: StepName, before: readonly StepName[], attempts = 0): FlatCase => ({
  name: `${name}${attempts > 0 ? ' again' : ''}`,
  asked: LIST * 6,
  prepare: async (db) => {
    const ids = await ordersAfter(db, before);
    return () => run(db, name, ids, attempts);
  },
});

const refundCase = (name: StepName, before: readonly StepName[], attempts = 0): FlatCase => ({
  name: `${name}${attempts > 0 ? ' again' : ''}`,
  asked: LIST * 6,
  prepare: async (db) => {
    const ids = await refundsAfter(db, before);
    return () => run(db, name, ids, attempts);
  },
});

const orderCase = (name: string, work: (db: Db, ids: readonly string[]) => Promise<unknown>): FlatCase => ({
  name,
  asked: LIST,
  prepare: async (db) => {
    const ids = await ordersAfter(db, ['validate', 'reserve', 'pay', 'ship']);
    return () => work(db, ids);
  },
});

const cause = { code: 'x', message: 'x', class: 'transient' } as const;

/** Everything that orders, refunds and processes do to single ones. */
export const ORDER_CASES: readonly FlatCase[] = [
  flatCase('place an order', 5, (db) => insertOrder(db.pool, newOrder({ tenantId }))),
  stepCase('validate', []),
  stepCase('reserve', ['validate']),
  stepCase('pay', ['validate', 'reserve']),
  stepCase('pay', ['validate', 'reserve', 'pay'], 1),
  stepCase('ship', ['validate', 'reserve', 'pay']),
  stepCase('ship', ['validate', 'reserve', 'pay', 'ship'], 1),
  stepCase('cancelShipment', ['validate', 'reserve', 'pay', 'ship']),
  stepCase('returnPayment', ['validate', 'reserve', 'pay']),
  stepCase('releaseStock', ['validate', 'reserve']),
  refundCase('acceptRefund', []),
  refundCase('payBack', ['acceptRefund']),
  refundCase('payBack', ['acceptRefund', 'payBack'], 1),
  refundCase('restockGoods', ['acceptRefund']),
  refundCase('unstockGoods', ['acceptRefund', 'restockGoods']),
  refundCase('releaseRefund', ['acceptRefund']),
  {
    name: 'find what refunds have left over',
    asked: LIST,
    prepare: async (db) => {
      const processIds = await refundsAfter(db, ['acceptRefund']);
      return () =>
        rawTransaction(db.pool, tenantId, (client) =>
          findAllEnded(client, { tenantId, processType: 'refund', processIds }),
        );
    },
  },
  orderCase('look for settlements under way', (db, [processId = '']) =>
    settleLeftOver(db.pool, {
      tenantId,
      settlementId: randomUUID(),
      settled: { processId, processType: 'order' },
      asked: { payment: 'refund' },
      decided: { command: 'settle', by: 'ann', reason: 'x', at: NOW },
    }),
  ),
  flatCase('ask for a refund', 5, (db) =>
    insertRefund(db.pool, {
      tenantId,
      refundId: randomUUID(),
      orderId: randomUUID(),
      amountMinor: 1,
      currency: 'EUR',
      items: [],
      returnLimitMs: 0,
      payment: LEDGER,
      now: NOW,
    }),
  ),
  {
    name: 'read what the services of a choreographed order say',
    asked: 1,
    prepare: async (db) => {
      const order = newOrder({ tenantId, mode: 'choreography', answerLimitMs: 1 });
      await insertOrder(db.pool, order);
      return () => readConversation(db.pool, order);
    },
  },
  flatCase('look for choreographed orders that stand still', 20, (_, system) => stalledOrders(system)),
  orderCase('find orders', (db, ids) => Promise.all(ids.map((orderId) => findOrder(db.pool, { tenantId, orderId })))),
  orderCase('find what orders have left over', (db, processIds) =>
    rawTransaction(db.pool, tenantId, (client) => findAllEnded(client, { tenantId, processType: 'order', processIds })),
  ),
  orderCase('find a refund', (db, [refundId = '']) => findRefund(db.pool, { tenantId, refundId })),
  orderCase('find a product', (db, [id = '']) => findProduct(db.pool, { tenantId, sku: `${id}-a` })),
  orderCase('change stock', (db, [id = '']) =>
    changeStock(db.pool, { tenantId, sku: `${id}-a`, pieces: 1, effectId: randomUUID() }),
  ),
  orderCase('put a product', (db, [id = '']) =>
    putProduct(db.pool, {
      tenantId,
      sku: `${id}-a`,
      name: 'x',
      priceMinor: 1,
      currency: 'EUR',
      isActive: true,
    }),
  ),
  orderCase('deliver an order', (db, [processId = '']) =>
    deliverOrder(db.pool, { tenantId, processId, processType: 'order', workflowId: `order:${processId}` }),
  ),
  orderCase('lock and write processes', (db, processIds) =>
    rawTransaction(db.pool, tenantId, async (client) => {
      const locked = await lockProcesses(client, { tenantId, processIds });
      const writes = [...locked].map(([processId, { type, state, revision }]) => ({
        processId,
        type,
        state,
        revision: revision + 1,
        writer: 'test',
        events: [{ type: 'StepStarted' as const, step: 'x', sequence: state.sequence + 1, at: NOW }],
      }));
      await writeProcesses(client, { tenantId, writes });
    }),
  ),
  orderCase('claim a process, begin its call and count an attempt', (db, [processId = '']) =>
    rawTransaction(db.pool, tenantId, async (client) => {
      await claimProcess(client, { tenantId, processId, writer: 'test' });
      await beginCall(client, { tenantId, processId, unanswered: cause });
      await recordAttempt(client, { tenantId, processId, attempts: 1, cause, retryAt: new Date(NOW) });
      await eventsAfter(client, { tenantId, processId, sequence: 0 });
    }),
  ),
  orderCase('read events behind a place', (db, ids) =>
    eventsBehind(
      db.pool,
      ids.map((processId) => ({ tenantId, processId, after: 0 })),
      10,
    ),
  ),
  orderCase('look whether readers may still read', (db, ids) =>
    lostOrders(
      db.pool,
      ids.map((processId) => ({ tenantId, processId, userId: randomUUID() })),
    ),
  ),
  orderCase('find a watched process', (db, [processId = '']) => findWatched(db.pool, { tenantId, processId })),
];
