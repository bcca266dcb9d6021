import type pg from 'pg';
import type { OrderService } from '../../domain/orders/choreographed-order.ts';
import type { Address } from '../../domain/orders/address.ts';
import type { DeliveryOutcome } from '../../domain/orders/order-process.ts';
import type { OperatorDecision } from '../../domain/process/state.ts';
import { orderEvent, orderMessage, type Said } from '../../events/order-messages.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import type { SystemDb } from '../../postgres/client.ts';
import type { TenantPool } from '../../postgres/pool.ts';
import { runSystemStatement } from '../../postgres/statement.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { awaitedIn, keepAwaited, whoAnswers, type Awaited } from './conversation.ts';
import { findDeliveries } from './find-facts.ts';

type OrderKey = { readonly tenantId: string; readonly orderId: string };

const SAID_OF_OUTCOME = {
  delivered: 'ShipmentDelivered',
  lost: 'ShipmentLost',
  returned: 'ShipmentReturned',
} as const satisfies Record<DeliveryOutcome, Said['type']>;

/** Says, as `shipping`, what became of a shipment; in a transaction that began with `lockStreams` on the order. */
export async function sayOutcome(
  client: pg.ClientBase,
  { tenantId, orderId, outcome }: OrderKey & { outcome: DeliveryOutcome },
): Promise<void> {
  const said = { type: SAID_OF_OUTCOME[outcome], data: { orderId } };
  await enqueueMessages(client, [
    orderMessage(said, { tenantId, orderId, source: 'shipping', causationId: null, at: new Date() }),
  ]);
}

/**
 * Writes who asks to cancel orders and why, and says that they are to be cancelled; first come, first heard. In a
 * transaction that began with `lockStreams` on them.
 */
export async function askCancels(
  client: pg.ClientBase,
  { tenantId, orderIds, asked }: { tenantId: string; orderIds: readonly string[]; asked: OperatorDecision },
): Promise<void> {
  if (orderIds.length === 0) return;
  await client.query({
    name: 'ask-cancels',
    text: `UPDATE orders SET cancel_asked = coalesce(cancel_asked, $3) WHERE tenant_id = $1 AND id = ANY($2::uuid[])
      AND mode = 'choreography'`,
    values: [tenantId, orderIds, JSON.stringify(asked)],
  });
  const at = new Date(asked.at);
  await enqueueMessages(
    client,
    orderIds.map((orderId) =>
      orderMessage(
        { type: 'CancelOrder', data: { orderId } },
        { tenantId, orderId, source: 'order', causationId: null, at },
      ),
    ),
  );
}

/** What is awaited of an order; `undefined`: there is no such order that services carry. */
async function findAwaited(
  client: pg.ClientBase,
  { tenantId, orderId }: OrderKey,
): Promise<Awaited | null | undefined> {
  const {
    rows: [row],
  } = await client.query<{ awaited: unknown }>({
    name: 'find-awaited',
    text: `SELECT awaited FROM orders WHERE tenant_id = $1 AND id = $2 AND mode = 'choreography'`,
    values: [tenantId, orderId],
  });
  return row === undefined ? undefined : awaitedIn(row.awaited);
}

/**
 * Asks again what was not answered, as a message of its own: one that was taken is answered again, without a second
 * effect. Answers what was asked; null: nothing is awaited of a service.
 */
export async function askAgain(
  pool: TenantPool,
  { tenantId, orderId, deadlineMs }: OrderKey & { deadlineMs: number },
): Promise<Awaited | null> {
  return rawTransaction(pool, tenantId, async (client) => {
    await lockStreams(client, [orderId]);
    const awaited = await findAwaited(client, { tenantId, orderId });
    if (awaited === undefined || awaited === null) return null;
    const { message, times } = awaited;
    const at = new Date();
    const again = orderMessage(message, {
      tenantId,
      orderId,
      source: message.type === 'OrderShipped' ? 'shipping' : 'order',
      causationId: message.causationid ?? null,
      times: times + 1,
      at,
    });
    const event = orderEvent.parse(JSON.parse(again.payload));
    const kept: Awaited = { message: event, times: times + 1, at: at.toISOString() };
    const dueAt = new Date(at.getTime() + deadlineMs);
    await keepAwaited(client, { tenantId, orderId, awaited: kept, dueAt, isCancelHeard: false });
    await enqueueMessages(client, [again]);
    return kept;
  });
}

/** How the services of an order stand with each other. */
export interface Conversation {
  /** What was asked last and is not answered, or the delivery that is waited for. */
  readonly awaiting: {
    readonly message: string;
    readonly service: OrderService | 'delivery';
    readonly since: Date;
    readonly times: number;
    readonly dueAt: Date | null;
  } | null;
  /** Messages of it that are parked, whoever parked them. */
  readonly deadLetters: readonly {
    readonly id: string;
    readonly source: string;
    readonly message: string;
    readonly cause: string;
    readonly parkedAt: Date;
  }[];
}

/** So many dead letters of an order are shown. */
const SHOWN = 20;

/** Reads it of a choreographed order. */
export async function readConversation(pool: TenantPool, { tenantId, orderId }: OrderKey): Promise<Conversation> {
  return rawTransaction(pool, tenantId, async (client) => {
    const {
      rows: [row],
    } = await client.query<{ awaited: unknown; dueAt: Date | null; status: string; movedAt: Date }>({
      name: 'read-conversation',
      text: `SELECT o.awaited, o.answer_due_at AS "dueAt", p.status::text, p.updated_at AS "movedAt"
        FROM orders AS o JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = o.id
        WHERE o.tenant_id = $1 AND o.id = $2 AND p.process_id = $2`,
      values: [tenantId, orderId],
    });
    const { rows: deadLetters } = await client.query<Conversation['deadLetters'][number]>({
      name: 'dead-letters-of-order',
      // What was parked is told by its payload's type: by the bus a dead letter has the topic as its own.
      text: `SELECT id::text, source, coalesce(substring(payload FROM '"type": ?"([A-Za-z]+)"'), type) AS message,
          cause, parked_at AS "parkedAt"
        FROM dead_letters WHERE tenant_id = $1 AND key = $2 AND status::text = 'parked'
        ORDER BY parked_at LIMIT ${SHOWN}`,
      values: [tenantId, orderId],
    });
    return { awaiting: row === undefined ? null : awaitingOf(row), deadLetters };
  });
}

function awaitingOf({
  awaited: stored,
  dueAt,
  status,
  movedAt,
}: {
  awaited: unknown;
  dueAt: Date | null;
  status: string;
  movedAt: Date;
}): Conversation['awaiting'] {
  const awaited = awaitedIn(stored);
  if (awaited !== null)
    return {
      message: awaited.message.type,
      service: whoAnswers(awaited),
      since: new Date(awaited.at),
      times: awaited.times,
      dueAt,
    };
  return status === 'waiting'
    ? { message: 'ShipmentDelivered', service: 'delivery', since: movedAt, times: 1, dueAt }
    : null;
}

/** Where an order goes; null: its user was deleted. */
export async function shippingAddressOf(
  client: pg.ClientBase,
  { tenantId, orderId }: OrderKey,
): Promise<Address | null> {
  const {
    rows: [row],
  } = await client.query<{ shipTo: Address | null }>({
    name: 'shipping-address',
    text: 'SELECT ship_to AS "shipTo" FROM orders WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, orderId],
  });
  return row?.shipTo ?? null;
}

/** Whether the delivery of an order was told before it had a shipment; that is written to the shipment then. */
export async function wasDeliveredEarly(client: pg.ClientBase, { tenantId, orderId }: OrderKey): Promise<boolean> {
  return (await findDeliveries(client, { tenantId, processIds: [orderId] })).has(orderId);
}

/** Orders of one tenant of which one service, or whoever should tell of their delivery, is not heard. */
export interface StalledOrders {
  readonly tenantId: string;
  readonly service: string;
  readonly orders: number;
  /** The one that has waited longest, what was asked of it last, and since when. */
  readonly oldest: { readonly orderId: string; readonly asked: string; readonly askedAt: string | null };
}

/** So many unanswered orders are looked at, those first that wait longest. */
const LOOKED_AT = 1_000;

/** Who should have answered by now, over all tenants. */
export async function stalledOrders({ pool }: Pick<SystemDb, 'pool'>): Promise<readonly StalledOrders[]> {
  const rows = await runSystemStatement<{ tenantId: string; orderId: string; awaited: unknown }>(pool, {
    name: 'stalled-orders',
    text: `SELECT tenant_id AS "tenantId", id::text AS "orderId", awaited FROM orders
      WHERE answer_due_at < now() ORDER BY answer_due_at LIMIT ${LOOKED_AT}`,
    values: [],
    isOrdered: true,
  });
  const stalled = rows.map(({ awaited: stored, ...row }) => {
    const awaited = awaitedIn(stored);
    return awaited === null
      ? { ...row, service: 'delivery', asked: 'ShipmentDelivered', askedAt: null }
      : { ...row, service: whoAnswers(awaited), asked: awaited.message.type, askedAt: awaited.at };
  });
  return [...Map.groupBy(stalled, ({ tenantId, service }) => `${tenantId} ${service}`).values()].flatMap((own) => {
    const [oldest] = own;
    return oldest === undefined
      ? []
      : [{ tenantId: oldest.tenantId, service: oldest.service, orders: own.length, oldest }];
  });
}
