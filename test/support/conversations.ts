import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/config.ts';
import { createConsumers } from '../../src/consumers/consumers.ts';
import { defaultPorts } from '../../src/gateways/default-ports.ts';
import type { BusMessage } from '../../src/messaging/bus.ts';
import type { Scope } from './scope.ts';
import { openShop } from './shop.ts';

const TENANT = 'test';

/** A message, and who is to get it. */
export interface Copy {
  readonly group: string;
  readonly message: BusMessage;
}

/** Choreographed orders without a bus: a test hands each message over itself. */
export type Conversations = Awaited<ReturnType<typeof openConversations>>;

/** Opens a shop whose services hear what they are handed. */
export async function openConversations(scope: Scope) {
  const shop = await openShop(scope);
  const config = loadConfig({});
  const consumers = createConsumers({ db: shop.db, config, ...defaultPorts(config) });

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
    const orderId = await shop.place({
      customerId,
      items,
      mode: 'choreography',
      answerLimitMs: 60_000,
      now,
      ...change,
    });
    return { orderId, sku };
  }
  return { shop, copiesOf, hand, endOf, place };
}

/** What an order shows that waits for no service. */
export const OPEN = { awaited: null, cancelAsked: null };
/** The end of an order of two pieces that waits for its delivery. */
export const SHIPPED = {
  ...OPEN,
  status: 'waiting',
  step: 'await_delivery',
  reservation: 'shipped',
  payment: 'captured',
  shipment: 'accepted',
  transfers: 3,
  pieces: [8, 0, 2],
};
/** The same once it is delivered. */
export const DELIVERED = { ...SHIPPED, status: 'completed', step: null, shipment: 'delivered' };
/** The end of one that the warehouse does not ship. */
export const REFUNDED = {
  ...OPEN,
  status: 'compensated',
  step: null,
  reservation: 'released',
  payment: 'refunded',
  shipment: null,
  transfers: 4,
  pieces: [10, 0, 0],
};
/** Where it would have gone. */
export const ELSEWHERE = { name: 'Ada', street: 'Rue 1', postalCode: '75001', city: 'Paris', country: 'NZ' };
