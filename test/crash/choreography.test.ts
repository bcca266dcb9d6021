import test from 'ava';
import pg from 'pg';
import { cancelByMessage } from '../../src/db/messages.ts';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { choreographedOrderProcess } from '../../src/domain/orders/choreographed-order.ts';
import {
  DELIVERED,
  ELSEWHERE,
  OPEN,
  openConversations,
  REFUNDED,
  type Conversations,
} from '../support/conversations.ts';
import { fileScope } from '../support/file-scope.ts';

const TENANT = 'test';
const scope = fileScope();
let talks: Conversations;
test.before(async () => {
  talks = await openConversations(scope);
});

type Query = (this: { connection: { stream: { destroy(): void } } }, ...args: unknown[]) => unknown;

/** Statements since it was set, and at which of them the connection dies: before it, or once it is committed. */
let statements = 0;
let diesAt = Infinity;
let isCommitHeard = true;
const prototype: { query: Query } = Object(pg.Client.prototype);
const { query } = prototype;
prototype.query = function dying(...args) {
  if (diesAt === Infinity && isCommitHeard) return query.call(this, ...args);
  statements += 1;
  const die = (): Promise<never> => {
    this.connection.stream.destroy();
    return Promise.reject(new Error('The process is gone.'));
  };
  if (statements === diesAt) return die();
  const sent = query.call(this, ...args);
  return !isCommitHeard && args[0] === 'COMMIT' && sent instanceof Promise ? sent.then(die) : sent;
};

/** Lets whoever does the work die before each of its statements in turn, then after its commit; then does it again. */
async function walk(work: () => Promise<unknown>): Promise<number> {
  let points = 0;
  for (let place = 1; ; place += 1) {
    statements = 0;
    diesAt = place;
    isCommitHeard = false;
    const died = await work().then(
      () => false,
      () => true,
    );
    const isThrough = statements < place;
    diesAt = Infinity;
    isCommitHeard = true;
    if (died) points += 1;
    if (!isThrough) continue;
    await work();
    return points;
  }
}

/** Hands every message over, each to a service that dies at each of its statements. */
async function talk(orderId: string, during: (turn: number) => Promise<void> = async () => {}): Promise<number> {
  let points = 0;
  for (let turn = 0; ; turn += 1) {
    await during(turn);
    const copy = (await talks.copiesOf(orderId))[turn];
    if (copy === undefined) return points;
    points += await walk(() => talks.hand(copy));
  }
}

test.serial('services that die at any statement of an order ship, deliver and charge it once', async (t) => {
  const { orderId, sku } = await talks.place();
  const processType = choreographedOrderProcess.type;
  const told = { tenantId: TENANT, processId: orderId, processType, workflowId: '' };
  const points = await talk(orderId);
  t.true(points > 60, `${points} points`);
  t.true((await walk(() => deliverOrder(talks.shop.db.pool, told))) > 4);
  const rest = (await talks.copiesOf(orderId)).slice(-3);
  for (const copy of rest) await walk(() => talks.hand(copy));
  t.deepEqual(await talks.endOf(orderId, sku), DELIVERED);
  await assertTimeline(orderId);
});

test.serial('services that die at any statement of an undo skip none of it and repeat none', async (t) => {
  const { orderId, sku } = await talks.place({ shipTo: ELSEWHERE });
  t.true((await talk(orderId)) > 60);
  t.deepEqual(await talks.endOf(orderId, sku), REFUNDED);
  await assertTimeline(orderId);
});

test.serial('services that die at any statement of a cancellation undo the order once', async (t) => {
  for (const cancelledAt of [0, 3, 5]) {
    const { orderId, sku } = await talks.place();
    const key = { tenantId: TENANT, processId: orderId };
    await talk(orderId, async (turn) => {
      if (turn !== cancelledAt) return;
      t.true((await walk(() => cancelByMessage(talks.shop.db.pool, key, { by: 'op', now: 1 }))) > 4);
    });
    const end: Readonly<Record<string, unknown>> = { ...(await talks.endOf(orderId, sku)) };
    t.like(end, { ...OPEN, status: 'cancelled', pieces: [10, 0, 0] }, `${cancelledAt}`);
    await assertTimeline(orderId);
  }
});

/** The events have no gap, and each step and undo is done once. */
async function assertTimeline(orderId: string): Promise<void> {
  const events = await talks.shop.read<{ sequence: number; what: string }>(
    `SELECT sequence, type || ' ' || coalesce(step, '') AS what FROM process_events WHERE process_id = $1
      ORDER BY sequence`,
    [orderId],
  );
  const twice = events.filter(({ what }, index) => events.findIndex((other) => other.what === what) < index);
  if (twice.length > 0 || events.some(({ sequence }, index) => sequence !== index + 1))
    throw new Error(`the timeline of ${orderId} is wrong: ${JSON.stringify(events)}`);
}
