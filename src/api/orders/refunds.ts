import { z } from 'zod';
import { isDuplicate } from '../../postgres/errors.ts';
import { insertRefund, type NewRefund } from '../../db/orders/request-refund.ts';
import { returnGoods } from '../../db/orders/return-goods.ts';
import { findRefund, type ListedRefund } from '../../db/orders/refund-list.ts';
import { LEDGER } from '../../domain/orders/order-process.ts';
import { REFUNDABLE, orderRefusalOf, orderStatusOf } from '../../domain/orders/order-status.ts';
import { REFUND_STATUSES, refundStatusOf } from '../../domain/orders/refund-status.ts';
import { MAX_MINOR, orderSchema, pieces } from './order.schemas.ts';
import { requireOrder } from './orders.ts';
import { refundProcess } from '../../domain/orders/refund-process.ts';
import { leftOverField } from '../processes/read-process.ts';
import { Problem } from '../http/problem.ts';
import { requireOpenProcess } from '../processes/process-commands.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, instant } from '../http/values.ts';

const params = z.object({ id });
const DAY_MS = 24 * 60 * 60_000;

const refundSchema = z
  .strictObject({
    id,
    orderId: id,
    amountMinor: z.number().int(),
    currency: z.string(),
    items: z
      .array(z.strictObject({ sku: z.string(), quantity: z.number().int() }))
      .meta({ description: 'Pieces that come back' }),
    status: z.enum(REFUND_STATUSES),
    refusal: orderSchema.shape.refusal,
    leftOver: orderSchema.shape.leftOver,
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Refund' });

const ask = route(
  {
    method: 'post',
    path: '/orders/:id/refunds',
    operationId: 'refundOrder',
    tag: 'Refunds',
    roles: ['service', 'admin'],
    scope: 'refunds:write',
    summary: 'Pays money back for a completed, lost or returned order, once the goods are back',
    params,
    body: z.strictObject({
      amountMinor: z
        .number()
        .int()
        .min(1)
        .max(MAX_MINOR)
        .meta({ description: "In minor units of the order's currency" }),
      items: pieces.default([]).meta({
        description:
          'Each sku once; pieces that have to come back first, within RETURN_DEADLINE_DAYS; ' +
          'none: the money goes back at once',
      }),
    }),
    statuses: { 201: 'The refund is under way; whether there is so much to refund turns out there' },
    answer: refundSchema,
    errors: ['order_not_found', 'order_not_completed', 'order_ended'],
    idempotent: true,
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId },
      params: { id: orderId },
      body: { amountMinor, items },
      effectId: refundId,
    } = call;
    const order = await requireOrder(call, orderId);
    const { currency, paymentProvider } = order;
    const refundable = REFUNDABLE[orderStatusOf(order)];
    if (refundable !== 'now') throw new Problem(refundable === 'later' ? 'order_not_completed' : 'order_ended');
    const returnLimitMs = items.length === 0 ? 0 : deps.config.RETURN_DEADLINE_DAYS * DAY_MS;
    const refund = await askOnce(deps, {
      tenantId,
      refundId,
      orderId,
      amountMinor,
      currency,
      items,
      returnLimitMs,
      payment: paymentProvider ?? LEDGER,
      now: Date.now(),
    });
    deps.wakeOutboxRelay();
    return { status: 201, body: refundAnswer(refund), headers: { Location: `/refunds/${refundId}` } };
  },
);

/** Writes the refund, unless an earlier request with the same `Idempotency-Key` has. */
async function askOnce({ db: { pool } }: Call['deps'], refund: NewRefund): Promise<ListedRefund> {
  try {
    await insertRefund(pool, refund);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const row = await findRefund(pool, refund);
  if (row === undefined) throw new Error('a refund is gone within its request');
  return row;
}

async function requireRefund(
  { deps, caller: { tenantId } }: Pick<Call, 'deps' | 'caller'>,
  refundId: string,
): Promise<ListedRefund> {
  const refund = await findRefund(deps.db.pool, { tenantId, refundId });
  if (refund === undefined) throw new Problem('refund_not_found');
  return refund;
}

const read = route(
  {
    method: 'get',
    path: '/refunds/:id',
    operationId: 'getRefund',
    tag: 'Refunds',
    roles: ['service', 'operator', 'admin'],
    scope: 'orders:read',
    summary: 'Reads a refund',
    params,
    statuses: { 200: 'The refund' },
    answer: refundSchema,
    errors: ['refund_not_found'],
  },
  async (call) => {
    const refund = await requireRefund(call, call.params.id);
    const left = await leftOverField(call, { ...refund, type: refundProcess.type });
    return { status: 200, body: { ...refundAnswer(refund), ...left } };
  },
);

const goodsReturned = route(
  {
    method: 'post',
    path: '/refunds/:id/goods-returned',
    operationId: 'returnGoods',
    tag: 'Refunds',
    roles: ['service', 'operator', 'admin'],
    scope: 'orders:deliver',
    summary: 'Says that the goods are back',
    params,
    statuses: { 202: 'The refund as it is now; its process will be told' },
    answer: refundSchema,
    errors: ['refund_not_found', 'process_closed'],
    idempotent: true,
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId },
      params: { id: processId },
    } = call;
    const refund = await requireRefund(call, processId);
    const open = await requireOpenProcess(deps, { tenantId, processId });
    await returnGoods(deps.db.pool, open);
    deps.wakeOutboxRelay();
    return { status: 202, body: refundAnswer(refund) };
  },
);

function refundAnswer(row: ListedRefund): z.input<typeof refundSchema> {
  return {
    id: row.id,
    orderId: row.orderId,
    amountMinor: row.amountMinor,
    currency: row.currency,
    items: [...row.items],
    status: refundStatusOf(row),
    refusal: orderRefusalOf(row.cause),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** Money back for completed orders. */
export const refundRoutes: readonly Route[] = [ask, read, goodsReturned];
