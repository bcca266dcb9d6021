import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { OrderMode } from '../../src/domain/orders/choreographed-order.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { createApiClient } from '../support/api-client.ts';
import { startRestartableTemporal } from '../crash/restartable-temporal.ts';
import { createCrashWorld } from '../crash/crash-world.ts';
import { openScope } from '../support/scope.ts';
import { temporalAt } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { audit, countByStatus, shippedOrders, type Discrepancies } from './books.ts';
import { createCrowd, type Crowd, type Send } from './customers.ts';
import { startFleet, type Fleet } from './processes.ts';
import { createRandom, type Random } from './random.ts';

/** How hard it is to be. */
export interface ChaosPlan {
  readonly seed: number;
  readonly orders: number;
  /** Who carries them, drawn for each. */
  readonly modes: readonly OrderMode[];
  /** Pause between two kills, at most, in milliseconds. */
  readonly killEveryMs: number;
  /** Probability that a statement of a port, or a commit, fails. */
  readonly faults: number;
  readonly log: (line: string) => void;
}

/** What came of it. */
export interface ChaosReport {
  readonly statuses: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly discrepancies: Discrepancies;
}

const IN_FLIGHT = 20;
/** Of a customer, between two orders. */
const PAUSE_MS = 500;
/** Of an order: three lines of three pieces. */
const MOST_PIECES = 9;
const PRICE_MINOR = 1_999;
const LEAST_SHARE_COMPLETED = 0.7;
const SKUS = Array.from({ length: 8 }, (_, index) => `SKU-${index + 1}`);
const CUSTOMERS = Array.from({ length: 8 }, (_, index) => `customer-${index + 1}`);
const END_MS = 600_000;

/** Of each product: what all orders take if each takes three lines of three pieces, and no product is a favourite. */
export function piecesFor(orders: number): number {
  return Math.ceil((orders * MOST_PIECES * 1.5) / SKUS.length);
}

/** Of each customer, who must be able to pay for that share of the orders. */
export function creditFor(orders: number): number {
  return piecesFor(orders) * PRICE_MINOR;
}

/** A run in which too few orders complete has tried little, and has run out of something. */
export function tooFew(statuses: Readonly<Record<string, number>>, orders: number): string[] {
  const { completed = 0 } = statuses;
  return completed >= orders * LEAST_SHARE_COMPLETED ? [] : [`only ${completed} of ${orders} orders completed`];
}

/**
 * Places orders while ports fail, workers and APIs are killed and Temporal is restarted, and looks at the books at the
 * end.
 */
export async function runChaos({ seed, orders, modes, killEveryMs, faults, log }: ChaosPlan): Promise<ChaosReport> {
  const scope = openScope();
  try {
    const random = createRandom(seed);
    const temporal = await startRestartableTemporal(scope);
    const world = await createCrashWorld(scope, {
      temporal: temporalAt(scope, temporal.address),
      settings: {
        CUSTOMER_CREDIT_LIMIT_MINOR: String(creditFor(orders)),
        LOG_LEVEL: 'error',
        CHAOS_FAULTS: String(faults),
        COMMAND_TIMEOUT_MS: '5000',
        // A message that fails so often by chance alone would wait for an operator, whom nobody plays here.
        BUS_RETRY_DELAYS_MS: '50,200,500,1000,1000,1000,1000',
      },
    });
    const fleet = await startFleet({ world, random, seed });
    const send = await sender(world.env, fleet.apis);
    const crowd = createCrowd({ send, apis: fleet.apis, random, skus: SKUS, customers: CUSTOMERS, modes });
    const pieces = piecesFor(orders);
    await furnish(crowd, pieces);

    const placed: string[] = [];
    const placing = placeAll({ crowd, orders, placed });
    let isSettled = false;
    const deliveries = deliverAll({ crowd, system: world.system, isPlaced: () => placed.length >= orders }).finally(
      () => {
        isSettled = true;
      },
    );
    const trouble = makeTrouble({
      fleet,
      random,
      killEveryMs,
      mostKills: 5 + orders / 10,
      temporal,
      log,
      isOver: () => isSettled,
      isHalfway: () => placed.length >= orders / 2,
    });
    const watching = setInterval(
      () =>
        void countByStatus(world.system).then(
          (statuses) => log(`${placed.length} placed: ${JSON.stringify(statuses)}`),
          () => {},
        ),
      10_000,
    );
    const [kills] = await Promise.all([trouble, placing, deliveries]).finally(() => clearInterval(watching));
    const statuses = await countByStatus(world.system);
    return { statuses, kills, discrepancies: [...(await audit(world.system, pieces)), ...tooFew(statuses, orders)] };
  } finally {
    await scope.close();
  }
}

async function placeAll({ crowd, orders, placed }: { crowd: Crowd; orders: number; placed: string[] }): Promise<void> {
  let begun = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (begun < orders) {
        begun += 1;
        placed.push(await crowd.order());
        await delay(PAUSE_MS);
      }
    }),
  );
}

/**
 * Kills a process again and again, so many times that a slow machine still gets somewhere, and Temporal once, in the
 * middle.
 */
async function makeTrouble({
  fleet,
  random,
  killEveryMs,
  mostKills,
  temporal,
  log,
  isOver,
  isHalfway,
}: {
  fleet: Fleet;
  random: Random;
  killEveryMs: number;
  mostKills: number;
  temporal: { kill(): Promise<void>; start(): Promise<void> };
  log: (line: string) => void;
  isOver: () => boolean;
  isHalfway: () => boolean;
}): Promise<number> {
  let kills = 0;
  let isRestarted = false;
  while (!isOver() || !isRestarted) {
    await delay(random.between(killEveryMs / 2, killEveryMs));
    if (isHalfway() && !isRestarted) {
      isRestarted = true;
      log('Temporal is killed');
      await temporal.kill();
      await delay(2_000);
      await temporal.start();
      log('Temporal is back');
    }
    if (kills >= mostKills) continue;
    log(`killed ${await fleet.killOne()}`);
    kills += 1;
  }
  return kills;
}

/** Delivers what is shipped, until everything was placed and every order is at its end or waits for an operator. */
async function deliverAll({
  crowd,
  system,
  isPlaced,
}: {
  crowd: Crowd;
  system: SystemDb;
  isPlaced: () => boolean;
}): Promise<void> {
  const delivered = new Set<string>();
  await until(
    async () => {
      const shipped = (await shippedOrders(system)).filter((orderId) => !delivered.has(orderId)).slice(0, IN_FLIGHT);
      await Promise.all(shipped.map((orderId) => crowd.deliver(orderId)));
      for (const orderId of shipped) delivered.add(orderId);
      if (!isPlaced() || shipped.length > 0) return false;
      const { running = 0, waiting = 0, compensating = 0 } = await countByStatus(system);
      return running + waiting + compensating === 0;
    },
    { what: 'every order at its end', timeoutMs: END_MS },
  );
}

async function sender(env: Readonly<Record<string, string>>, apis: readonly string[]): Promise<Send> {
  const clients = new Map(
    await Promise.all(apis.map(async (api) => [api, await createApiClient({ env, apiUrl: api })] as const)),
  );
  return (api, { method, path, key, json }) => {
    const client = clients.get(api);
    if (client === undefined) throw new Error(`there is no API at ${api}`);
    return client(method, path, json, key);
  };
}

/** Fills the warehouse and makes the customers, of whom each is one active user's. */
async function furnish(crowd: Crowd, pieces: number): Promise<void> {
  for (const sku of SKUS) {
    await crowd.insist({
      method: 'PUT',
      path: `/products/${sku}`,
      json: { name: sku, priceMinor: PRICE_MINOR, currency: 'EUR' },
    });
    await crowd.insist({
      method: 'POST',
      path: `/products/${sku}/stock`,
      key: randomUUID(),
      json: { received: pieces },
    });
  }
  for (const customerId of CUSTOMERS) {
    const {
      body: { id },
    } = await crowd.insist({
      method: 'POST',
      path: '/users',
      key: randomUUID(),
      json: { authSubject: customerId, email: `${customerId}@example.com` },
    });
    const { status } = await crowd.insist({
      method: 'POST',
      path: `/users/state-management/${String(id)}/profile/complete`,
      key: randomUUID(),
      json: { customerId, customerKind: 'company' },
    });
    if (status >= 300) throw new Error(`the profile of ${customerId} was answered ${status}`);
  }
}
