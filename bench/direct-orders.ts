import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import { localStep } from '../src/activities/process/provider-step.ts';
import { applyOutcomes } from '../src/activities/process/step-row.ts';
import type { Config } from '../src/config/config.ts';
import { createLedger } from '../src/gateways/payment/ledger/ledger.ts';
import { insertOrder } from '../src/db/orders/place-order.ts';
import { takePayment } from '../src/activities/orders/take-payment.ts';
import { reserveStock } from '../src/activities/orders/reserve-stock.ts';
import { createShipment } from '../src/activities/orders/create-shipment.ts';
import { validateOrders } from '../src/activities/orders/validate-order.ts';
import { createWarehouse } from '../src/gateways/shipping/warehouse.ts';
import { lockProcesses, writeProcesses } from '../src/db/processes/process-rows.ts';
import { rawTransaction } from '../src/postgres/transaction.ts';
import { LEDGER, orderProcess, WAREHOUSE } from '../src/domain/orders/order-process.ts';
import type { StepOutcome } from '../src/domain/process/decide.ts';
import type { ProcessState } from '../src/domain/process/state.ts';
import type { StepResult, StepWork } from '../src/domain/process/step-work.ts';
import { openScope, type Scope } from '../test/support/scope.ts';
import { fromRunner } from '../test/support/services.ts';
import { createWorld } from '../test/support/world.ts';
import { furnish, orderOf } from './catalogue.ts';
import { cpuMs, drive, postmasterOf, type Figure } from './measure.ts';
import type { TenantPool } from '../src/postgres/pool.ts';

const TENANT = 'default';
const GROWTH_IN_FLIGHT = 10;
const MEASURED = 1_000;

/**
 * The baseline: the same orders with the same rows in the same transactions, one step after the other, and no workflow;
 * per second.
 */
export async function writeDirectly({ count, inFlight }: { count: number; inFlight: number }): Promise<number> {
  const scope = openScope();
  try {
    const { perSecond } = await drive(count, inFlight, await directWriter(scope));
    return perSecond;
  } finally {
    await scope.close();
  }
}

/** Rate of the same, and PostgreSQL's CPU for each, by how many orders there are already. */
export async function benchGrowth(counts: readonly number[]): Promise<Figure[]> {
  const scope = openScope();
  try {
    const write = await directWriter(scope);
    const postmaster = await postmasterOf(fromRunner('TEST_DATABASE_URL'));
    const figures: Figure[] = [];
    let [firstRate, firstMs] = [0, 0];
    let there = 0;
    for (const count of counts) {
      await drive(count - there, GROWTH_IN_FLIGHT, write);
      const before = cpuMs(postmaster);
      const { perSecond } = await drive(MEASURED, GROWTH_IN_FLIGHT, write);
      const ms = (cpuMs(postmaster) - before) / MEASURED;
      there = count + MEASURED;
      if (firstMs === 0) [firstRate, firstMs] = [perSecond, ms];
      const name = `direct writes beside ${count} orders`;
      figures.push(
        { section: 'growth', name, value: perSecond, unit: '/s', ratio: perSecond / firstRate },
        { section: 'growth', name: `${name}: CPU of PostgreSQL`, value: ms, unit: 'ms each', ratio: ms / firstMs },
      );
    }
    return figures;
  } finally {
    await scope.close();
  }
}

/** Writes an order, in a database of its own, where nobody is to start workflows for what was done without. */
async function directWriter(scope: Scope): Promise<(index: number) => Promise<void>> {
  const { db, config } = await createWorld(scope);
  await furnish(db);
  const steps = stepsOf(config);
  return async (index) => {
    const orderId = randomUUIDv7();
    const state = await insertOrder(db.pool, {
      tenantId: TENANT,
      orderId,
      placedBy: null,
      now: Date.now(),
      deliveryLimitMs: 1_000_000,
      providers: { payment: LEDGER, shipping: WAREHOUSE },
      ...orderOf(index),
    });
    await takeAll(db.pool, { orderId, state, steps });
  };
}

type Step = (client: pg.ClientBase, works: readonly StepWork[]) => Promise<readonly StepResult[]>;

function stepsOf(config: Config): readonly Step[] {
  const payments = createLedger({ creditLimitMinor: config.CUSTOMER_CREDIT_LIMIT_MINOR });
  const shipping = createWarehouse({ countries: config.SHIP_TO_COUNTRIES });
  const limits = {
    maxLines: config.ORDER_MAX_LINES,
    maxQuantity: config.ORDER_MAX_QUANTITY,
    maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
  };
  return [
    (client, works) => validateOrders(client, works, limits),
    reserveStock,
    localStep(takePayment, payments),
    localStep(createShipment, shipping),
  ];
}

/** All steps in one transaction, and the row once, as the joined steps of an order do it. */
async function takeAll(
  pool: TenantPool,
  { orderId, state, steps }: { orderId: string; state: ProcessState; steps: readonly Step[] },
): Promise<void> {
  await rawTransaction(pool, TENANT, async (client) => {
    await lockProcesses(client, { tenantId: TENANT, processIds: [orderId] });
    const outcomes: StepOutcome[] = [];
    for (const [place, step] of steps.entries()) {
      const { data } = applyOutcomes(orderProcess, state, outcomes, Date.now()).state;
      const [result] = await step(client, [{ tenantId: TENANT, processId: orderId, data, attempts: 0 }]);
      if (result?.isDone !== true) throw new Error(`an order failed: ${JSON.stringify(result)}`);
      outcomes.push({
        type: 'completed',
        step: Object.keys(orderProcess.steps)[place] ?? '',
        attempts: 1,
        result: result.result ?? {},
      });
    }
    const { state: after, events } = applyOutcomes(orderProcess, state, outcomes, Date.now());
    await writeProcesses(client, {
      tenantId: TENANT,
      writes: [{ processId: orderId, type: orderProcess.type, state: after, revision: 1, writer: 'bench', events }],
    });
  });
}
