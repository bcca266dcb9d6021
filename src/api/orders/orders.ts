import { z } from 'zod';
import { isDuplicate } from '../../postgres/errors.ts';
import { findOrder, listOrders, type OrderRow } from '../../db/orders/order-list.ts';
import { insertOrder, type NewOrder } from '../../db/orders/place-order.ts';
import { customerId, newOrderSchema, orderAnswer, orderSchema, orderStatus } from './order.schemas.ts';
import { choreographedOrderProcess } from '../../domain/orders/choreographed-order.ts';
import { conversationField } from './conversation.ts';
import { orderProcess } from '../../domain/orders/order-process.ts';
import { leftOverField } from '../processes/read-process.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, pageCursor, pageLimit, pageOf, readCursor, writeCursor } from '../http/values.ts';

const EVERYBODY = ['user', 'service', 'operator', 'admin'] as const;
const DAY_MS = 24 * 60 * 60_000;

/** The order, unless it belongs to a customer other than the caller's. */
export async function requireOrder(
  { deps, caller: { tenantId, role }, self }: Pick<Call, 'deps' | 'caller' | 'self'>,
  orderId: string,
): Promise<OrderRow> {
  const order = await findOrder(deps.db.pool, { tenantId, orderId });
  const isVisible = order !== undefined && (role !== 'user' || self?.customerId === order.customerId);
  if (!isVisible) throw new Problem('order_not_found');
  return order;
}

const place = route(
  {
    method: 'post',
    path: '/orders',
    operationId: 'placeOrder',
    tag: 'Orders',
    roles: ['user', 'service', 'admin'],
    scope: 'orders:write',
    summary: 'Places an order',
    description:
      'It is accepted at once, and validated, reserved, paid and shipped from then on, or undone: by a workflow, or ' +
      "in `mode` `choreography` by services that answer each other's messages.",
    body: newOrderSchema,
    statuses: { 201: 'The order is placed' },
    answer: orderSchema,
    errors: ['customer_required'],
    idempotent: true,
  },
  async ({ deps, caller: { tenantId, role }, self, body, effectId: orderId }) => {
    if (role === 'user' && (self?.status !== 'active' || self.customerId !== body.customerId))
      throw new Problem('customer_required');
    const order = await placeOnce(deps, {
      tenantId,
      orderId,
      placedBy: self?.id ?? null,
      ...body,
      deliveryLimitMs: deps.config.DELIVERY_DEADLINE_DAYS * DAY_MS,
      providers: deps.orderProviders,
      answerLimitMs: deps.config.CHOREOGRAPHY_STEP_DEADLINE_MS,
      now: Date.now(),
    });
    deps.wakeOutboxRelay();
    return { status: 201, body: orderAnswer(order), headers: { Location: `/orders/${orderId}` } };
  },
);

/** Writes the order, or finds the one that an earlier request with the same `Idempotency-Key` has written. */
async function placeOnce({ db: { pool } }: Call['deps'], order: NewOrder): Promise<OrderRow> {
  try {
    const { status, currentStep, cause, cancelled, sequence, startedAt } = await insertOrder(pool, order);
    const at = new Date(startedAt);
    const items = order.items.map((line) => ({ ...line, unitPriceMinor: null }));
    return {
      ...order,
      mode: order.mode ?? 'orchestration',
      id: order.orderId,
      totalMinor: null,
      paymentProvider: order.providers.payment,
      items,
      status,
      currentStep,
      cause,
      cancelled,
      outcome: null,
      sequence,
      createdAt: at,
      updatedAt: at,
    };
  } catch (error) {
    const placed = isDuplicate(error) ? await findOrder(pool, order) : undefined;
    if (placed === undefined) throw error;
    return placed;
  }
}

const read = route(
  {
    method: 'get',
    path: '/orders/:id',
    operationId: 'getOrder',
    tag: 'Orders',
    roles: EVERYBODY,
    scope: 'orders:read',
    summary: 'Reads an order',
    params: z.object({ id }),
    statuses: { 200: 'The order' },
    description:
      'Everybody but its customer reads also what it has left over, and what the services of a choreographed one say.',
    answer: orderSchema,
    errors: ['order_not_found'],
  },
  async (call) => {
    const order = await requireOrder(call, call.params.id);
    if (call.caller.role === 'user') return { status: 200, body: orderAnswer(order) };
    const type = order.mode === 'choreography' ? choreographedOrderProcess.type : orderProcess.type;
    const left = await leftOverField(call, { ...order, type });
    return { status: 200, body: { ...orderAnswer(order), ...left, ...(await conversationField(call, order)) } };
  },
);

const list = route(
  {
    method: 'get',
    path: '/orders',
    operationId: 'listOrders',
    tag: 'Orders',
    roles: EVERYBODY,
    scope: 'orders:read',
    summary: "Lists orders, newest first; a user sees its customer's",
    query: z.strictObject({
      status: orderStatus.optional(),
      customerId: customerId.optional(),
      limit: pageLimit,
      cursor: pageCursor.optional(),
    }),
    statuses: { 200: 'A page of orders' },
    answer: pageOf(orderSchema),
    errors: [],
  },
  async ({
    deps,
    caller: { tenantId, role },
    self,
    query: { status = null, customerId: wanted = null, limit, cursor },
  }) => {
    const from = readCursor(cursor);
    const own = role === 'user' ? (self?.customerId ?? null) : wanted;
    if (role === 'user' && (own === null || (wanted ?? own) !== own))
      return { status: 200, body: { items: [], nextCursor: null } };
    const after = from === undefined ? null : { createdAt: from.at, id: from.id };
    const orders = await listOrders(deps.db.pool, { tenantId, status, customerId: own, after, limit: limit + 1 });
    const page = orders.slice(0, limit);
    const last = page.at(-1);
    const nextCursor =
      orders.length > limit && last !== undefined ? writeCursor({ at: last.createdAt, id: last.id }) : null;
    return { status: 200, body: { items: page.map(orderAnswer), nextCursor } };
  },
);

/** Placing and reading orders. */
export const orderRoutes: readonly Route[] = [place, list, read];
