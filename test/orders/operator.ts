import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Fault, Faults } from '../support/faulty-ports.ts';
import { operator, REFUSED_COUNTRY, service, TENANT, type OrderWorld } from '../support/order-world.ts';

/** How an order goes: what goes wrong with it, and which of the moves that there are an operator makes. */
export interface Course {
  readonly isRefused: boolean;
  readonly isCancelled: boolean;
  readonly isRefunded: boolean;
  readonly faults: readonly Fault[];
  /** After so many moves nothing goes wrong any more. */
  readonly healedAfter: number;
  readonly choices: readonly number[];
}

/** What became of an order. */
export interface Played {
  readonly orderId: string;
  /** The moves, as a failure tells them. */
  readonly moves: readonly string[];
}

interface Move {
  readonly name: string;
  /** The process that waits for it, and will hear of it. */
  readonly told?: string;
  /** The process that it reopens. */
  readonly reopens?: string;
  readonly path: string;
  readonly json?: object;
  readonly as?: typeof operator | typeof service;
}

const MOST_MOVES = 20;
const OPEN: ReadonlySet<string> = new Set(['step_failed', 'compensation_failed', 'waiting']);
const reason = 'because';
const seen = z.object({
  id: z.string(),
  type: z.string(),
  status: z.string(),
  steps: z.array(z.object({ step: z.string(), status: z.string() })),
  leftOver: z.record(z.string(), z.unknown()),
});
type Seen = z.output<typeof seen>;

/** Places an order and moves it by the API, until it and all that followed from it are at their end. */
export async function play(world: OrderWorld, faults: Faults, { sku, course }: { sku: string; course: Course }) {
  const { customerId } = await world.customer();
  faults.set(customerId, course.faults);
  const orderId = await world.place({
    customerId,
    sku,
    quantity: 2,
    ...(course.isRefused ? { country: REFUSED_COUNTRY } : {}),
  });
  if (course.isCancelled) await world.api.ask('POST', `/orders/${orderId}/cancel`, operator);
  const moves: string[] = [];
  const told = new Set<string>();
  const reopened = new Set<string>();
  let isRefunded = !course.isRefunded;
  for (let turn = 0; turn < MOST_MOVES; turn += 1) {
    if (turn === course.healedAfter) faults.delete(customerId);
    const processes = await atRest(world, { orderId, told });
    let possible: readonly Move[] = [...movesAmong(processes), ...(await reopeningsOf(world, processes, reopened))];
    if (possible.length === 0) {
      const [{ status } = { status: '' }] = processes;
      if (isRefunded || status !== 'completed') return { orderId, moves } satisfies Played;
      isRefunded = true;
      possible = refundsOf(orderId, sku);
    }
    const move = possible[(course.choices[turn % course.choices.length] ?? 0) % possible.length];
    if (move === undefined) throw new Error('there is no move');
    moves.push(move.name);
    if (move.told !== undefined) told.add(move.told);
    if (move.reopens !== undefined) reopened.add(move.reopens);
    await make(world, move, moves);
  }
  throw new Error(`an order is not at its end after ${moves.join(', ')}`);
}

async function make({ api }: OrderWorld, { path, json, as = operator }: Move, moves: readonly string[]): Promise<void> {
  const { status, body } = await api.ask('POST', path, { ...as, ...(json === undefined ? {} : { json }) });
  if (status >= 300) throw new Error(`${moves.join(', ')} is ${status} ${JSON.stringify(body)}`);
}

/** The order's processes, its own first, once each waits for somebody, who has not told it yet, or is over. */
async function atRest(
  world: OrderWorld,
  { orderId, told }: { orderId: string; told: ReadonlySet<string> },
): Promise<readonly Seen[]> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const ids = await processesOf(world, orderId);
    const found = await Promise.all(
      ids.map(async (id) => seen.parse((await world.api.ask('GET', `/processes/${id}`, operator)).body)),
    );
    const isMoving = ({ id, status }: Seen): boolean =>
      status === 'running' || status === 'compensating' || (status === 'waiting' && told.has(id));
    if (!found.some(isMoving)) return found;
    if (performance.now() > deadline) throw new Error(`order ${orderId} does not come to rest`);
    await delay(300);
  }
}

async function processesOf({ db }: OrderWorld, orderId: string): Promise<readonly string[]> {
  return db.inTenant(TENANT, async (tx) => {
    const where = { where: { tenantId: TENANT, orderId }, select: { id: true } };
    const others = [...(await tx.refund.findMany(where)), ...(await tx.settlement.findMany(where))];
    return [orderId, ...others.map(({ id }) => id)];
  });
}

/** The moves that there are; what is left over waits while a settlement of the order does. */
function movesAmong(processes: readonly Seen[]): readonly Move[] {
  const open = processes.filter(({ type, status }) => type === 'settlement' && OPEN.has(status));
  return (open.length > 0 ? open : processes).flatMap(movesOf);
}

/** The moves that a process has; none: it is at its end. */
function movesOf(found: Seen): readonly Move[] {
  const { id, type, status, steps, leftOver } = found;
  const command = (name: string, json: object = { reason }): Move => ({
    name: `${name} of the ${type}`,
    path: `/processes/${id}/${name}`,
    json,
  });
  switch (status) {
    case 'step_failed':
      return ['retry-step', 'skip-step', 'abandon'].map((name) => command(name));
    case 'compensation_failed':
      return [
        command('retry-compensation'),
        ...steps
          .filter((step) => step.status === 'compensation_failed')
          .map(({ step }) => command('skip-compensation', { step, reason })),
        command('abandon'),
      ];
    case 'waiting':
      return type === 'order'
        ? ['delivery', 'lost', 'returned'].map((name) => ({ name, told: id, path: `/orders/${id}/${name}` }))
        : [{ name: 'goods-returned', told: id, path: `/refunds/${id}/goods-returned` }, command('cancel')];
    default:
      // A settlement shows what its order has left, which is settled there.
      return type === 'settlement' ? [] : settlementsOf(leftOver).map((moves) => settling(found, moves));
  }
}

/** What was given up and nothing of it was settled may be reopened; once, so that it ends. */
async function reopeningsOf(
  { db }: OrderWorld,
  processes: readonly Seen[],
  reopened: ReadonlySet<string>,
): Promise<readonly Move[]> {
  if (processes.some(({ type }) => type === 'settlement')) return [];
  const abandoned = processes.filter(({ id, status }) => status === 'abandoned' && !reopened.has(id));
  const letters = await db.inTenant(TENANT, (tx) =>
    tx.deadLetter.findMany({ where: { source: 'process', messageId: { in: abandoned.map(({ id }) => id) } } }),
  );
  return letters.map(({ id, type, messageId }) => ({
    name: `reopening of the ${type}`,
    path: `/dead-letters/${id}/replay`,
    json: { reason },
    reopens: messageId,
  }));
}

function settling({ id, type }: Seen, moves: object): Move {
  return {
    name: `settle ${JSON.stringify(moves)} of the ${type}`,
    path: `/processes/${id}/settle`,
    json: { ...moves, reason },
  };
}

/** What may be settled in one go. */
function settlementsOf({ payment, pieces, shipment }: Seen['leftOver']): readonly object[] {
  const money = payment === undefined ? [] : [{ payment: 'refund' }, { payment: 'write_off' }];
  const goods = pieces === undefined ? [] : [{ pieces: 'release' }, { pieces: 'write_off' }];
  const parcels = shipment === undefined ? [] : [{ shipment: 'call_back' }, { shipment: 'write_off' }];
  const both = money.flatMap((one) => goods.map((other) => ({ ...one, ...other })));
  return [...money, ...goods, ...parcels, ...both];
}

/** Refunds of two pieces at 500 each, in part, with and without goods. */
function refundsOf(orderId: string, sku: string): readonly Move[] {
  const path = `/orders/${orderId}/refunds`;
  const ask = (amountMinor: number, items: readonly object[]): Move => ({
    name: `refund of ${amountMinor} with ${items.length} item`,
    path,
    json: { amountMinor, items },
    as: service,
  });
  return [ask(400, []), ask(500, [{ sku, quantity: 1 }]), ask(1_000, [{ sku, quantity: 2 }]), ask(1_000, [])];
}

/** A product of which there is plenty. */
export async function addProduct({ api }: OrderWorld, pieces: number): Promise<string> {
  const sku = randomUUID();
  await api.ask('PUT', `/products/${sku}`, { role: 'admin', json: { name: 'Cup', priceMinor: 500, currency: 'EUR' } });
  await api.ask('POST', `/products/${sku}/stock`, { role: 'admin', json: { received: pieces } });
  return sku;
}
