import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { createActivities } from '../src/activities/create-activities.ts';
import { createSubjectHash } from '../src/auth/subject-hash.ts';
import { createGateways } from '../src/composition/gateways.ts';
import { loadConfig } from '../src/config/config.ts';
import { LEDGER, WAREHOUSE } from '../src/domain/orders/order-process.ts';
import { insertOrder } from '../src/db/orders/place-order.ts';
import { processWorkflowType, type ProcessInput } from '../src/workflows/process/process.messages.ts';
import { openScope } from '../test/support/scope.ts';
import { temporalAddress } from '../test/support/services.ts';
import { runWorker } from '../test/support/worker.ts';
import { createWorld, type World } from '../test/support/world.ts';
import { bareWorkflows } from './bare-workflows.ts';
import { furnish, orderOf } from './catalogue.ts';
import type { Figure } from './measure.ts';
import { ORDER_VARIANTS } from './order-variants.ts';
import { untilShipped } from './shipped.ts';

const TENANT = 'default';
const IN_FLIGHT = 50;
/** The SDK's default. */
const SIMPLE = { type: 'simple-maximum' } as const;
const SECTION = 'levers, dev server';

/** One way to carry orders. */
interface Lever {
  readonly name: string;
  readonly variant: keyof typeof ORDER_VARIANTS;
  /** Workflow tasks in hand at once. */
  readonly slots?: number;
  readonly isEager?: boolean;
  readonly isPolledSimply?: boolean;
}

const LEVERS: readonly Lever[] = [
  { name: 'each step a regular activity', variant: 'regularOrder' },
  { name: 'each step a local activity with a transaction of its own', variant: 'localOrder' },
  { name: 'steps joined in one local activity and one transaction', variant: 'joinedOrder' },
  { name: '… and 10 workflow tasks in hand instead of 40', variant: 'joinedOrder', slots: 10 },
  { name: '… and 200 of them', variant: 'joinedOrder', slots: 200 },
  { name: '… and the default pollers instead of autoscaling ones', variant: 'joinedOrder', isPolledSimply: true },
  { name: "… and started eagerly, by the worker's own connection", variant: 'joinedOrder', isEager: true },
];

/** What each lever gives: orders started from here and carried by a worker here, until they are shipped. */
export async function benchLevers(count: number): Promise<Figure[]> {
  const scope = openScope();
  try {
    const world = await createWorld(scope, { poolSize: loadConfig({}).DATABASE_POOL_SIZE });
    await furnish(world.db);
    const bare = () => bareWorkflows({ address: temporalAddress(), count, inFlight: IN_FLIGHT, type: 'bareLocal' });
    const figures: Figure[] = [];
    let before = await bare();
    for (const lever of LEVERS) {
      const perSecond = await measure(lever, world, count);
      const after = await bare();
      figures.push({
        section: SECTION,
        name: lever.name,
        value: perSecond,
        unit: '/s',
        ratio: perSecond / ((before + after) / 2),
      });
      before = after;
    }
    return figures;
  } finally {
    await scope.close();
  }
}

async function measure(
  { variant, slots = 40, isEager = false, isPolledSimply = false }: Lever,
  world: World,
  count: number,
): Promise<number> {
  const { db, system, config } = world;
  // By the worker's own connection: others can't start eagerly.
  const client = new Client({ connection: await world.temporal.connect() });
  const taskQueue = `lever-${randomUUID()}`;
  const { stop } = await runWorker(world, {
    taskQueue,
    workflowsPath: fileURLToPath(new URL('order-variant-workflows.ts', import.meta.url)),
    activities: createActivities({
      db,
      system,
      client,
      config,
      gateways: createGateways(config),
      subjectHash: await createSubjectHash(config),
      processType: (type) => ORDER_VARIANTS[variantOf(type)],
    }),
    options: {
      maxConcurrentWorkflowTaskExecutions: slots,
      ...(isPolledSimply ? { workflowTaskPollerBehavior: SIMPLE, activityTaskPollerBehavior: SIMPLE } : {}),
    },
  });
  const place = async (index: number): Promise<string> => {
    const orderId = randomUUID();
    const state = await insertOrder(db.pool, {
      tenantId: TENANT,
      orderId,
      placedBy: null,
      now: Date.now(),
      deliveryLimitMs: 1_000_000,
      providers: { payment: LEDGER, shipping: WAREHOUSE },
      ...orderOf(index),
    });
    const input: ProcessInput = { tenantId: TENANT, processId: orderId, carried: { state, revision: 0 } };
    await client.workflow.start(processWorkflowType(variant), {
      taskQueue,
      workflowId: `${variant}:${orderId}`,
      args: [input],
      requestEagerStart: isEager,
    });
    return orderId;
  };
  await untilShipped(system, { count: 20, inFlight: IN_FLIGHT, place }); // warm
  const { perSecond } = await untilShipped(system, { count, inFlight: IN_FLIGHT, place });
  await stop();
  return perSecond;
}

function variantOf(type: string): keyof typeof ORDER_VARIANTS {
  if (type === 'regularOrder' || type === 'localOrder' || type === 'joinedOrder') return type;
  throw new Error(`there is no variant ${type}`);
}
