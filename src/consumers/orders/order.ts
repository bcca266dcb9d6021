import type pg from 'pg';
import { validateOrders } from '../../activities/orders/validate-order.ts';
import type { Config } from '../../config/config.ts';
import {
  forgetCancel,
  keepAwaited,
  readToldOrder,
  requestFor,
  type Awaited,
  type ToldOrder,
} from '../../db/orders/conversation.ts';
import { lockProcesses, writeProcesses, type LockedProcess } from '../../db/processes/process-rows.ts';
import {
  choreographedOrderProcess,
  foldOrder,
  type Folded,
  type Heard as Fact,
} from '../../domain/orders/choreographed-order.ts';
import type { ChoreographyCause } from '../../domain/orders/codes.ts';
import { executionOf } from '../../domain/process/state.ts';
import type { OrderLimits } from '../../domain/orders/price-order.ts';
import { orderEvent, orderMessage, timesAsked, type OrderEventOf, type Said } from '../../events/order-messages.ts';
import { PoisonError, type SubscribeOptions } from '../../messaging/bus.ts';
import type { Db } from '../../postgres/client.ts';
import { orderConsumer, type Heard } from './order-consumer.ts';

/** Writes the rows of processes that no workflow carries. */
const WRITER = choreographedOrderProcess.type;

/** What the service `order` is built from. */
export interface OrderServiceDeps {
  readonly db: Pick<Db, 'pool'>;
  readonly config: Pick<
    Config,
    'ORDER_MAX_LINES' | 'ORDER_MAX_QUANTITY' | 'ORDER_MAX_TOTAL_MINOR' | 'CHOREOGRAPHY_STEP_DEADLINE_MS'
  >;
}

/** An order as its rows have it when a message is heard. */
interface KnownOrder {
  readonly order: ToldOrder;
  readonly locked: LockedProcess;
}

/**
 * The service `order`: validates what was placed, folds what the others say into the order's process, and asks for what
 * follows.
 */
export function orderService({ db, config }: OrderServiceDeps): SubscribeOptions {
  const limits = {
    maxLines: config.ORDER_MAX_LINES,
    maxQuantity: config.ORDER_MAX_QUANTITY,
    maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
  };
  return orderConsumer({
    db,
    service: 'order',
    topics: ['order', 'inventory', 'payment', 'shipping'],
    react: async (heard) =>
      isAsked(heard.event.type)
        ? null
        : (client) => fold(client, heard, { limits, deadlineMs: config.CHOREOGRAPHY_STEP_DEADLINE_MS }),
  });
}

/** What `order` asks of others it need not hear. */
function isAsked(type: Heard['event']['type']): boolean {
  return (
    type === 'ReserveInventory' ||
    type === 'ReleaseInventory' ||
    type === 'ProcessPayment' ||
    type === 'RefundPayment' ||
    type === 'ShipOrder' ||
    type === 'CancelShipment'
  );
}

async function fold(
  client: pg.ClientBase,
  heard: Heard,
  { limits, deadlineMs }: { readonly limits: OrderLimits; readonly deadlineMs: number },
): Promise<readonly Said[]> {
  const { tenantId, orderId } = heard;
  const locked = (await lockProcesses(client, { tenantId, processIds: [orderId], type: WRITER })).get(orderId);
  if (locked === undefined)
    throw new PoisonError<ChoreographyCause>('unknown_order', 'There is no such order that services carry.');
  if (heard.event.type === 'OrderShipped') {
    await awaitStock(client, { ...heard, event: heard.event }, { locked, deadlineMs });
    return [];
  }
  const order = await readToldOrder(client, { tenantId, orderId });
  const fact = await factOf(client, heard, { order, locked, limits });
  // The clock of another may be ahead: the row is not dated before what is in it.
  const now = Math.max(Date.now(), locked.state.updatedAt);
  const folded = fact === null ? null : foldOrder(locked.state, fact, now);
  if (folded === null || folded.events.length === 0) {
    if (fact?.type === 'CancelOrder') await forgetCancel(client, heard);
    return [];
  }
  const { state, events } = folded;
  await writeProcesses(client, {
    tenantId,
    writes: [{ processId: orderId, type: locked.type, state, events, revision: locked.revision + 1, writer: WRITER }],
  });
  return ask(client, { heard, folded, deadlineMs, isCancelHeard: fact?.type === 'CancelOrder' });
}

/** What the message says, as far as the order's row tells it; null: nothing. */
async function factOf(
  client: pg.ClientBase,
  { tenantId, orderId: processId, event }: Heard,
  { order, locked: { state }, limits }: KnownOrder & { readonly limits: OrderLimits },
): Promise<Fact | null> {
  switch (event.type) {
    case 'OrderCreated': {
      if (state.currentStep !== 'validate_order') return null;
      const [result] = await validateOrders(client, [{ tenantId, processId, data: state.data, attempts: 0 }], limits);
      if (result === undefined) throw new Error('an order was not validated');
      return result.isDone
        ? { type: 'validated', result: result.result ?? {} }
        : { type: 'not_validated', code: result.code, message: result.message };
    }
    case 'CancelOrder':
      return order.cancelAsked === null ? null : { type: event.type, asked: order.cancelAsked };
    case 'InventoryRejected':
    case 'PaymentFailed':
    case 'ShipmentRejected':
      return { type: event.type, code: event.data.code, message: event.data.message };
    case 'PaymentProcessed':
      return { type: event.type, paymentId: event.data.paymentId };
    case 'InventoryShipped':
      return { type: event.type, shipmentId: event.data.shipmentId };
    case 'InventoryReserved':
    case 'InventoryReleased':
    case 'PaymentRefunded':
    case 'ShipmentCancelled':
    case 'ShipmentKept':
    case 'ShipmentDelivered':
    case 'ShipmentLost':
    case 'ShipmentReturned':
      return { type: event.type };
    default:
      return null;
  }
}

/** Says what is to be done next, and writes by when it should be answered. */
async function ask(
  client: pg.ClientBase,
  {
    heard: { tenantId, orderId, event },
    folded: { state, ask: request },
    deadlineMs,
    isCancelHeard,
  }: { heard: Heard; folded: Folded; deadlineMs: number; isCancelHeard: boolean },
): Promise<readonly Said[]> {
  const row = { tenantId, orderId, isCancelHeard };
  if (request === null) {
    const isStillAsked = state.history.some(({ status }) => status === 'running' || status === 'compensating');
    if (state.status === 'waiting')
      await keepAwaited(client, { ...row, awaited: null, dueAt: state.dueAt === null ? null : new Date(state.dueAt) });
    else if (!isStillAsked) await keepAwaited(client, { ...row, awaited: null, dueAt: null });
    else if (isCancelHeard) await forgetCancel(client, row);
    return [];
  }
  // Validation has priced it just now.
  const order = await readToldOrder(client, { tenantId, orderId });
  const said = requestFor(request, { order, orderId, data: state.data });
  const at = new Date(state.updatedAt);
  const { payload } = orderMessage(said, { tenantId, orderId, source: 'order', causationId: event.id, at });
  const awaited: Awaited = { message: orderEvent.parse(JSON.parse(payload)), times: 1, at: at.toISOString() };
  await keepAwaited(client, { ...row, awaited, dueAt: new Date(state.updatedAt + deadlineMs) });
  return [said];
}

/** An order that the warehouse has: `inventory` is to take its pieces out of the stock. */
async function awaitStock(
  client: pg.ClientBase,
  { tenantId, orderId, event }: Heard & { readonly event: OrderEventOf<'OrderShipped'> },
  { locked: { state }, deadlineMs }: Pick<KnownOrder, 'locked'> & { readonly deadlineMs: number },
): Promise<void> {
  if (executionOf(state, 'create_shipment')?.status !== 'running') return;
  const at = new Date();
  const awaited: Awaited = { message: event, times: timesAsked(event.id), at: at.toISOString() };
  const dueAt = new Date(at.getTime() + deadlineMs);
  await keepAwaited(client, { tenantId, orderId, awaited, dueAt, isCancelHeard: false });
}
