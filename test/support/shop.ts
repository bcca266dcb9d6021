import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Config } from '../../src/config/config.ts';
import type { Db } from '../../src/postgres/client.ts';
import { LEDGER, WAREHOUSE } from '../../src/domain/orders/order-process.ts';
import { insertOrder, type NewOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { insertRefund, type NewRefund } from '../../src/db/orders/request-refund.ts';
import type { LocalStep, RemoteStep } from '../../src/activities/process/step-functions.ts';
import type { ProcessData } from '../../src/domain/process/definition.ts';
import { validateOrders } from '../../src/activities/orders/validate-order.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import type { StepResult, StepWork } from '../../src/domain/process/step-work.ts';
import type { Scope } from './scope.ts';
import { addCustomer } from './users.ts';
import { createWorld } from './world.ts';

const TENANT = 'test';
export const NOW = Date.UTC(2026, 0, 15);

/** What does a step for a list: in one transaction, or by calls apart from any. */
type Step = LocalStep | RemoteStep;

/** A database with a catalogue, and what tests do with it. */
export type Shop = Awaited<ReturnType<typeof openShop>>;

/** Opens a shop in a database of its own. */
export async function openShop(scope: Scope) {
  const { db, config } = await createWorld(scope, { poolSize: 25 });
  return { db, ...stepsOn(db), ...goodsOf(db), ...ordersOf(db, config) };
}

/** An order of one tenant as tests place it. */
export function newOrder(order: Partial<NewOrder>): NewOrder {
  return {
    tenantId: TENANT,
    orderId: randomUUID(),
    customerId: 'customer-1',
    placedBy: null,
    currency: 'EUR',
    payment: { method: 'account' },
    shipTo: { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country: 'FR' },
    items: [{ sku: 'MUG', quantity: 1 }],
    deliveryLimitMs: 1_000,
    providers: { payment: LEDGER, shipping: WAREHOUSE },
    now: NOW,
    ...order,
  };
}

function stepsOn({ pool }: Db) {
  const run = async (
    step: Step,
    ids: readonly string[],
    { attempts = 0, data = {} }: { attempts?: number; data?: ProcessData } = {},
  ): Promise<readonly StepResult[]> => {
    const works = ids.map((processId): StepWork => ({ tenantId: TENANT, processId, data, attempts }));
    const inTransaction = <Result>(work: (client: pg.ClientBase) => Promise<Result>): Promise<Result> =>
      rawTransaction(pool, TENANT, work);
    if (typeof step === 'function') return inTransaction((client) => step(client, works));
    const needed = await inTransaction((client) => step.read(client, works));
    const answer = await step.call(works, needed, new AbortController().signal);
    return inTransaction((client) => step.record(client, works, answer));
  };
  return {
    run,
    /** The outcomes in short: `done`, or the code of the refusal. */
    outcomes: async (
      step: Step,
      ids: readonly string[],
      options?: { attempts?: number; data?: ProcessData },
    ): Promise<string[]> => (await run(step, ids, options)).map((result) => (result.isDone ? 'done' : result.code)),
    read: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> =>
      rawTransaction(pool, TENANT, async (client) => (await client.query<Row>(text, values)).rows),
  };
}

function goodsOf({ pool }: Db) {
  return {
    /** Puts a product into the catalogue, with so many pieces. */
    stock: async (
      sku: string,
      pieces: number,
      { priceMinor = 1_000, currency = 'EUR', isActive = true } = {},
    ): Promise<void> => {
      await putProduct(pool, { tenantId: TENANT, sku, name: sku, priceMinor, currency, isActive });
      await changeStock(pool, { tenantId: TENANT, sku, pieces, effectId: randomUUID() });
    },
    /** Pieces of a product: on hand, reserved, shipped. */
    pieces: async (sku: string): Promise<(number | undefined)[]> => {
      const product = await findProduct(pool, { tenantId: TENANT, sku });
      return [product?.onHand, product?.reserved, product?.shipped];
    },
  };
}

function ordersOf({ pool }: Db, config: Config) {
  const limits = {
    maxLines: config.ORDER_MAX_LINES,
    maxQuantity: config.ORDER_MAX_QUANTITY,
    maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
  };
  const validate: LocalStep = (client, works) => validateOrders(client, works, limits);
  const place = async (order: Partial<NewOrder> = {}): Promise<string> => {
    const placed = newOrder(order);
    await insertOrder(pool, placed);
    return placed.orderId;
  };
  return {
    validate,
    place,
    addCustomer: (customerId: string) => addCustomer({ pool }, { tenantId: TENANT, customerId }),
    /** Places an order and gives it prices. */
    placeValid: async (order: Partial<NewOrder> = {}): Promise<string> => {
      const orderId = await place(order);
      const [result] = await rawTransaction(pool, TENANT, (client) =>
        validate(client, [{ tenantId: TENANT, processId: orderId, data: {}, attempts: 0 }]),
      );
      if (result?.isDone !== true) throw new Error(`the order is not valid: ${result?.code}`);
      return orderId;
    },
    askRefund: async (refund: Pick<NewRefund, 'orderId' | 'amountMinor'> & Partial<NewRefund>): Promise<string> => {
      const refundId = randomUUID();
      await insertRefund(pool, {
        tenantId: TENANT,
        refundId,
        currency: 'EUR',
        items: [],
        returnLimitMs: 0,
        payment: LEDGER,
        now: NOW,
        ...refund,
      });
      return refundId;
    },
  };
}
