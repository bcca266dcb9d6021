import type { Address } from '../../domain/orders/address.ts';
import { choreographedOrderProcess, type OrderMode } from '../../domain/orders/choreographed-order.ts';
import { orderProcess, type OrderData, type OrderProviders } from '../../domain/orders/order-process.ts';
import type { ProcessDefinition } from '../../domain/process/definition.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import { orderEvent, orderMessage, type OrderEvent } from '../../events/order-messages.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import { insertProcessesSql, processesParameter, type NewProcess } from '../processes/process-rows.ts';
import { runStatement } from '../../postgres/statement.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import type { Awaited } from './conversation.ts';
import { newProcess } from '../processes/new-process.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** How an order is paid. */
export interface OrderPayment {
  readonly method: string;
}

/** An order as it is placed; prices are found when it is validated. */
export interface NewOrder {
  readonly tenantId: string;
  readonly orderId: string;
  readonly customerId: string;
  /** User who places it; null: a service or an administrator. */
  readonly placedBy: string | null;
  /** ISO 4217. */
  readonly currency: string;
  readonly payment: OrderPayment;
  readonly shipTo: Address;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** How long after its shipment it should be delivered, in milliseconds. */
  readonly deliveryLimitMs: number;
  readonly providers: OrderProviders;
  /** By a workflow, unless it says otherwise. */
  readonly mode?: OrderMode;
  /** Of a choreographed order: how long a service may take to answer, in milliseconds. */
  readonly answerLimitMs?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Writes the order with what carries it, and answers the process as it begins: the start of a workflow, or the message
 * that it was created.
 */
export async function insertOrder(pool: TenantPool, order: NewOrder): Promise<ProcessState> {
  return order.mode === 'choreography' ? insertChoreographed(pool, order) : insertOrchestrated(pool, order);
}

/**
 * Writes the order, its lines, its process and the start of its workflow (workflow outbox), all in one statement;
 * answers the process as it begins. No NOTIFY: PostgreSQL takes a lock for it at commit, so that commits would wait for
 * one another.
 */
async function insertOrchestrated(pool: TenantPool, order: NewOrder): Promise<ProcessState> {
  const { row, start } = processOf(order, orderProcess);
  await runStatement(pool, order.tenantId, {
    name: 'insert-order',
    text: `${INSERT_ORDER} ${enqueueCallsSql(15)}`,
    values: [...valuesOf(order, row), callsParameter([start])],
  });
  return row.state;
}

/** The id is new, so nobody else writes to its stream, and there is no lock to be taken on it. */
async function insertChoreographed(pool: TenantPool, order: NewOrder): Promise<ProcessState> {
  const { tenantId, orderId, customerId, currency, items, now } = order;
  const { row } = processOf(order, choreographedOrderProcess);
  const created = orderMessage(
    { type: 'OrderCreated', data: { orderId, customerId, currency, items: [...items] } },
    { tenantId, orderId, source: 'order', causationId: null, at: new Date(now) },
  );
  await rawTransaction(pool, tenantId, async (client) => {
    await client.query({
      name: 'insert-choreographed-order',
      text: `${INSERT_ORDER} SELECT`,
      values: [...valuesOf(order, row, orderEvent.parse(JSON.parse(created.payload)))],
    });
    await enqueueMessages(client, [created]);
  });
  return row.state;
}

function processOf(order: NewOrder, definition: ProcessDefinition<OrderData>): ReturnType<typeof newProcess> {
  const { tenantId, orderId: processId, customerId: listedFor, deliveryLimitMs, providers, now } = order;
  return newProcess({ definition, tenantId, processId, listedFor, data: { deliveryLimitMs, ...providers }, now });
}

function valuesOf(order: NewOrder, row: NewProcess, asked?: OrderEvent): unknown[] {
  const { tenantId, orderId, customerId, placedBy, currency, payment, shipTo, items, now } = order;
  const { mode = 'orchestration', answerLimitMs = 0 } = order;
  const at = new Date(now);
  const awaited: Awaited | null = asked === undefined ? null : { message: asked, times: 1, at: at.toISOString() };
  return [
    tenantId,
    orderId,
    customerId,
    placedBy,
    currency,
    JSON.stringify(payment),
    JSON.stringify(shipTo),
    at,
    items.map(({ sku }) => sku),
    items.map(({ quantity }) => quantity),
    processesParameter([row]),
    mode,
    awaited === null ? null : JSON.stringify(awaited),
    awaited === null ? null : new Date(now + answerLimitMs),
  ];
}

const INSERT_ORDER = `
  WITH new_order AS (
    INSERT INTO orders (tenant_id, id, customer_id, placed_by, currency, payment, ship_to, created_at, mode, awaited,
      answer_due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $12, $13, $14)
  ), line AS (
    INSERT INTO order_items (tenant_id, order_id, line, sku, quantity)
    SELECT $1, $2, place, sku, quantity FROM unnest($9::text[], $10::int[]) WITH ORDINALITY AS given (sku, quantity,
      place)
  ), ${insertProcessesSql(11)}`;
