import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createOrderActivities } from '../src/activities/orders/order-activities.ts';
import { createProcessActivities } from '../src/activities/process/process.ts';
import { loadConfig } from '../src/config/config.ts';
import { openDb, type Db } from '../src/postgres/client.ts';
import { defaultPorts } from '../src/gateways/default-ports.ts';
import { insertOrder } from '../src/db/orders/place-order.ts';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.ts';
import { processWorkflowType, type ProcessInput } from '../src/workflows/process/process.messages.ts';
import { createDatabase, temporalAddress } from '../test/support/services.ts';
import { bareWorkflows } from './bare-workflows.ts';
import { furnish, orderOf } from './catalogue.ts';
import type { Figure } from './measure.ts';
import { ORDER_VARIANTS } from './order-variants.ts';
import { untilShipped } from './shipped.ts';

const TENANT = 'default';
const IN_FLIGHT = 50;
const SECTION = 'g levers, dev server';

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

/** (g) What each lever gives: orders started from here and carried by a worker here, until they are shipped. */
export async function benchLevers(count: number): Promise<Figure[]> {
  const database = await createDatabase();
  const config = loadConfig({});
  const db = openDb({
    url: database.url,
    role: config.DATABASE_ROLE,
    poolSize: config.DATABASE_POOL_SIZE,
    applicationName: 'bench',
  });
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  try {
    await ensureSearchAttributes(connection, 'default');
    await furnish(db);
    const bare = () => bareWorkflows({ address: temporalAddress(), count, inFlight: IN_FLIGHT, type: 'bareLocal' });
    const figures: Figure[] = [];
    let before = await bare();
    for (const lever of LEVERS) {
      const perSecond = await measure(lever, { db, connection, count });
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
    await connection.close();
    await db.close();
    await database.drop();
  }
}

async function measure(
  { variant, slots = 40, isEager = false, isPolledSimply = false }: Lever,
  { db, connection, count }: { db: Db; connection: NativeConnection; count: number },
): Promise<number> {
  const config = loadConfig({});
  const taskQueue = `lever-${randomUUID()}`;
  const pollers: Partial<WorkerOptions> = isPolledSimply
    ? {}
    : { workflowTaskPollerBehavior: { type: 'autoscaling' }, activityTaskPollerBehavior: { type: 'autoscaling' } };
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('order-variant-workflows.ts', import.meta.url)),
    ...pollers,
    activities: {
      ...createProcessActivities({ db, config }),
      ...createOrderActivities({
        db,
        config,
        processType: (type) => ORDER_VARIANTS[variantOf(type)],
        ...defaultPorts(config),
      }),
    },
    maxConcurrentWorkflowTaskExecutions: slots,
    maxConcurrentLocalActivityExecutions: 200,
    maxConcurrentActivityTaskExecutions: 200,
  });
  const client = new Client({ connection });
  const place = async (index: number): Promise<string> => {
    const orderId = randomUUID();
    const state = await insertOrder(db.pool, {
      tenantId: TENANT,
      orderId,
      placedBy: null,
      now: Date.now(),
      deliveryLimitMs: 1_000_000,
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
  const { perSecond } = await worker.runUntil(async () => {
    await untilShipped(db, { count: 20, inFlight: IN_FLIGHT, place }); // warm
    return untilShipped(db, { count, inFlight: IN_FLIGHT, place });
  });
  return perSecond;
}

function variantOf(type: string): keyof typeof ORDER_VARIANTS {
  if (type === 'regularOrder' || type === 'localOrder' || type === 'joinedOrder') return type;
  throw new Error(`there is no variant ${type}`);
}
