import { randomUUID } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { cancelByMessage } from '../../src/db/messages.ts';
import { choreographedOrderProcess } from '../../src/domain/orders/choreographed-order.ts';
import { LEDGER, WAREHOUSE } from '../../src/domain/orders/order-process.ts';
import { orderMessage, type Said } from '../../src/events/order-messages.ts';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import type { BusMessage } from '../../src/messaging/bus.ts';
import {
  DELIVERED,
  ELSEWHERE,
  OPEN,
  openConversations,
  REFUNDED,
  SHIPPED,
  type Conversations,
} from '../support/conversations.ts';
import { fileScope } from '../support/file-scope.ts';
import type { Shop } from '../support/shop.ts';

const TENANT = 'test';
const scope = fileScope();
let shop: Shop;
let copiesOf: Conversations['copiesOf'];
let hand: Conversations['hand'];
let endOf: Conversations['endOf'];
let place: Conversations['place'];
test.before(async () => {
  ({ shop, copiesOf, hand, endOf, place } = await openConversations(scope));
});

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
    { numRuns: 8, seed: 11 },
  );
});

test('whatever comes twice, late or out of order, a refused order leaves no books behind', async (t) => {
  await fc.assert(
    fc.asyncProperty(picks, async (chosen) => {
      const { orderId, sku } = await place({ shipTo: ELSEWHERE });
      await talk(orderId, chosen, async () => {});
      t.deepEqual(await endOf(orderId, sku), REFUNDED);
    }),
    { numRuns: 6, seed: 12 },
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
    { numRuns: 16, seed: 13 },
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
