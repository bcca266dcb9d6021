import { randomUUID } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { createConsumers } from '../../src/consumers/consumers.ts';
import { cancelByMessage } from '../../src/db/messages.ts';
import { choreographedOrderProcess } from '../../src/domain/orders/choreographed-order.ts';
import { LEDGER, WAREHOUSE } from '../../src/domain/orders/order-process.ts';
import { orderMessage, type Said } from '../../src/events/order-messages.ts';
import { defaultPorts } from '../../src/gateways/default-ports.ts';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { BusMessage } from '../../src/messaging/bus.ts';
import { fileScope } from '../support/file-scope.ts';
import { openShop, type Shop } from '../support/shop.ts';

const TENANT = 'test';
const scope = fileScope();
const config = loadConfig({});
let shop: Shop;
let consumers: ReturnType<typeof createConsumers>;
test.before(async () => {
  shop = await openShop(scope);
  consumers = createConsumers({ db: shop.db, config, ...defaultPorts(config) });
});

/** A message, and who is to get it. */
interface Copy {
  readonly group: string;
  readonly message: BusMessage;
}

/** Every copy that there is by now of what was said of an order, oldest first. */
async function copiesOf(orderId: string): Promise<Copy[]> {
  const rows = await shop.read<Omit<BusMessage, 'tenantId'>>(
    `SELECT message_id AS "messageId", topic, key, payload::text FROM outgoing_messages
      WHERE key = $1 ORDER BY position`,
    [orderId],
  );
  return rows.flatMap((row) =>
    consumers
      .filter(({ topics }) => topics.includes(row.topic))
      .map(({ group }) => ({ group, message: { ...row, tenantId: TENANT } })),
  );
}

async function hand({ group, message }: Copy): Promise<void> {
  await consumers.find((consumer) => consumer.group === group)?.handle(message);
}

/** Delivers all that is said, in an order that `picks` choose, some of it again; until nobody says anything more. */
async function talk(orderId: string, picks: readonly number[], during: (turn: number) => Promise<void>): Promise<void> {
  const handed = new Set<string>();
  for (let turn = 0; ; turn += 1) {
    await during(turn);
    const copies = await copiesOf(orderId);
    const fresh = copies.filter(({ group, message }) => !handed.has(`${group} ${message.messageId}`));
    const pick = picks[turn % picks.length] ?? 0;
    // One of three is a copy of anything, heard before or not.
    const from = pick % 3 === 0 && turn < 30 ? copies : fresh;
    const copy = from[pick % from.length];
    if (fresh.length === 0 || copy === undefined) return;
    await hand(copy);
    handed.add(`${copy.group} ${copy.message.messageId}`);
  }
}

/** What is left when all is said: of the order's row, its stock, its money and its shipment. */
async function endOf(orderId: string, sku: string): Promise<object> {
  const [row] = await shop.read(
    `SELECT p.status::text, p.current_step AS step, o.awaited, o.cancel_asked AS "cancelAsked",
        (SELECT status::text FROM reservations WHERE order_id = o.id) AS reservation,
        (SELECT status::text FROM payments WHERE order_id = o.id) AS payment,
        (SELECT status::text FROM shipments WHERE order_id = o.id) AS shipment,
        (SELECT count(*)::int FROM ledger_transfers WHERE order_id = o.id) AS transfers
      FROM orders AS o JOIN process_states AS p ON p.process_id = o.id WHERE o.id = $1`,
    [orderId],
  );
  return { ...row, pieces: await shop.pieces(sku) };
}

async function place(change: object = {}): Promise<{ orderId: string; sku: string }> {
  const [sku, customerId] = [randomUUID(), randomUUID()];
  await shop.stock(sku, 10);
  await shop.addCustomer(customerId);
  const items = [{ sku, quantity: 2 }];
  const now = Date.now();
  const orderId = await shop.place({ customerId, items, mode: 'choreography', answerLimitMs: 60_000, now, ...change });
  return { orderId, sku };
}

const OPEN = { awaited: null, cancelAsked: null };
const SHIPPED = {
  ...OPEN,
  status: 'waiting',
  step: 'await_delivery',
  reservation: 'shipped',
  payment: 'captured',
  shipment: 'accepted',
  transfers: 3,
  pieces: [8, 0, 2],
};
const DELIVERED = { ...SHIPPED, status: 'completed', step: null, shipment: 'delivered' };
const ELSEWHERE = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country: 'NZ' };
const picks = fc.array(fc.nat(1_000), { minLength: 10, maxLength: 40 });

test('whatever comes twice, late or out of order, a delivered order leaves the same books', async (t) => {
  await fc.assert(
    fc.asyncProperty(picks, fc.nat(20), async (chosen, deliveredAt) => {
      const { orderId, sku } = await place();
      const processType = choreographedOrderProcess.type;
      const told = { tenantId: TENANT, processId: orderId, processType, workflowId: '' };
      await talk(orderId, chosen, async (turn) => {
        if (turn === deliveredAt) await deliverOrder(shop.db.pool, told);
      });
      await deliverOrder(shop.db.pool, told);
      await talk(orderId, chosen, async () => {});
      t.deepEqual(await endOf(orderId, sku), DELIVERED);
    }),
    { numRuns: 15, seed: 11 },
  );
});

test('whatever comes twice, late or out of order, a refused order leaves no books behind', async (t) => {
  await fc.assert(
    fc.asyncProperty(picks, async (chosen) => {
      const { orderId, sku } = await place({ shipTo: ELSEWHERE });
      await talk(orderId, chosen, async () => {});
      t.like(await endOf(orderId, sku), {
        ...OPEN,
        status: 'compensated',
        reservation: 'released',
        payment: 'refunded',
        shipment: null,
        pieces: [10, 0, 0],
      });
    }),
    { numRuns: 10, seed: 12 },
  );
});

test('an order that is cancelled at any time is shipped in whole or holds nothing', async (t) => {
  const ends = new Set<string>();
  await fc.assert(
    fc.asyncProperty(picks, fc.nat(14), async (chosen, cancelledAt) => {
      const { orderId, sku } = await place();
      const key = { tenantId: TENANT, processId: orderId };
      await talk(orderId, chosen, async (turn) => {
        if (turn === cancelledAt) await cancelByMessage(shop.db.pool, key, { by: 'op', now: Date.now() });
      });
      const end: Readonly<Record<string, unknown>> = { ...(await endOf(orderId, sku)) };
      ends.add(String(end['status']));
      if (end['status'] === 'waiting') t.deepEqual(end, SHIPPED);
      else t.like(end, { ...OPEN, status: 'cancelled', pieces: [10, 0, 0] });
      if (end['status'] === 'cancelled')
        t.regex(`${String(end['reservation'])} ${String(end['payment'])}`, /^(null|released) (null|refunded|voided)$/);
    }),
    { numRuns: 30, seed: 13 },
  );
  t.deepEqual([...ends].toSorted(), ['cancelled', 'waiting']);
});

/** What is asked of a service, and its undo. */
interface Pair {
  readonly group: 'inventory' | 'payment';
  readonly request: (orderId: string, sku: string) => Said;
  readonly undo: (orderId: string, sku: string) => Said;
}
const piecesOf = (orderId: string, sku: string) => ({ orderId, items: [{ sku, quantity: 3 }] });
const paymentOf = (orderId: string) => {
  return { orderId, customerId: 'c', amountMinor: 500, currency: 'EUR', method: 'account', provider: LEDGER };
};
const PAIRS: readonly Pair[] = [
  {
    group: 'inventory',
    request: (orderId, sku) => ({ type: 'ReserveInventory', data: piecesOf(orderId, sku) }),
    undo: (orderId, sku) => ({ type: 'ReleaseInventory', data: piecesOf(orderId, sku) }),
  },
  {
    group: 'payment',
    request: (orderId) => ({ type: 'ProcessPayment', data: paymentOf(orderId) }),
    undo: (orderId) => ({ type: 'RefundPayment', data: paymentOf(orderId) }),
  },
];

/** Asked by `order` for the so-manieth time. */
function asked(orderId: string, said: Said, times: number): BusMessage {
  return orderMessage(said, { tenantId: TENANT, orderId, source: 'order', causationId: null, times, at: new Date() });
}

for (const { group, request, undo } of PAIRS) {
  test(`of ${group}, an undo before, after and between copies of what it undoes ends in the same books`, async (t) => {
    for (const turns of ['du', 'ud', 'udd', 'dud', 'uud', 'ddu']) {
      const [orderId, sku] = [randomUUID(), randomUUID()];
      await shop.stock(sku, 10);
      for (const [times, turn] of turns.split('').entries()) {
        const said = turn === 'd' ? request(orderId, sku) : undo(orderId, sku);
        await hand({ group, message: asked(orderId, said, times + 1) });
      }
      t.deepEqual(await shop.pieces(sku), [10, 0, 0], turns);
      const paid = await shop.read('SELECT status::text FROM payments WHERE order_id = $1', [orderId]);
      t.true(
        paid.every(({ status }) => status === 'voided' || status === 'refunded'),
        turns,
      );
      const reserved = await shop.read('SELECT status::text FROM reservations WHERE order_id = $1', [orderId]);
      t.deepEqual(reserved, group === 'inventory' ? [{ status: 'released' }] : []);
    }
  });
}

test('a shipment that is stopped before it is asked for is never made, and one that is made is kept', async (t) => {
  const answers = async (turns: readonly ('ship' | 'stop')[]): Promise<unknown[]> => {
    const { orderId, sku } = await place();
    const data = { orderId, provider: WAREHOUSE };
    for (const [times, turn] of turns.entries()) {
      const said: Said =
        turn === 'stop'
          ? { type: 'CancelShipment', data }
          : { type: 'ShipOrder', data: { ...data, items: [{ sku, quantity: 2 }] } };
      await hand({ group: 'shipping', message: asked(orderId, said, times + 1) });
    }
    return shop.read(
      `SELECT payload->>'type' AS type FROM outgoing_messages WHERE key = $1 AND topic = 'shipping' ORDER BY position`,
      [orderId],
    );
  };
  t.deepEqual(await answers(['stop', 'ship']), [{ type: 'ShipmentCancelled' }, { type: 'ShipmentRejected' }]);
  t.deepEqual(await answers(['ship', 'stop', 'ship']), [
    { type: 'OrderShipped' },
    { type: 'ShipmentKept' },
    { type: 'OrderShipped' },
  ]);
});

test('no message holds where an order goes, or whoever cancels it', async (t) => {
  const { orderId } = await place();
  await talk(orderId, [1], async (turn) => {
    if (turn === 3)
      await cancelByMessage(shop.db.pool, { tenantId: TENANT, processId: orderId }, { by: 'Bob', now: 1 });
  });
  const said = await copiesOf(orderId);
  t.true(said.length > 5);
  for (const { message } of said) t.notRegex(message.payload, /Ada|Rue|Bob/);
});
