import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import { afterRefund, refundRefusal, type Refundable } from '../../domain/orders/accept-refund.ts';
import type { Payment, PaymentPort, PaymentRequest } from '../../gateways/payment/payment-port.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import { refundsIn } from './pay-back.ts';
import { paymentRequests } from './payment-requests.ts';
import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import type { RefundRefusal, StepRefusal } from '../../domain/orders/codes.ts';
import { lockOrders, readRefunds, setRefundStatus } from '../../db/orders/refund-rows.ts';

type Refusal = RefundRefusal | StepRefusal;

interface Left {
  readonly orderId: string;
  readonly currency: string;
  readonly isShipped: boolean;
  readonly spokenForMinor: number;
  readonly pieces: Readonly<Record<string, number>>;
}

/** What was captured of orders and how much of it went back, in minor units, by the order. */
type CapturedByOrder = ReadonlyMap<string, Pick<Payment, 'amountMinor' | 'refundedMinor'>>;

/** Accepts refunds as far as what was captured goes, whatever other refunds of the orders are under way. */
export const acceptRefund: ProviderStep<PaymentPort, readonly PaymentRequest[], CapturedByOrder, Refusal> = {
  read: async (client, works) => {
    const { tenantId, refundIds } = refundsIn(works);
    const asked = (await readRefunds(client, { tenantId, refundIds })).filter(({ status }) => status === 'requested');
    return paymentRequests(client, { tenantId, orderIds: asked.map(({ orderId }) => orderId) });
  },
  call: async (payments, call, requests) => {
    if (requests.length === 0) return new Map();
    const found = await payments.find({ ...call, keys: requests.map(({ key }) => key) });
    return new Map(
      requests.flatMap(({ orderId, key }) => {
        const payment = found.get(key);
        return payment?.status === 'captured' ? [[orderId, payment]] : [];
      }),
    );
  },
  record: acceptAll,
};

async function acceptAll(
  client: pg.ClientBase,
  works: readonly StepWork[],
  captured: CapturedByOrder,
): Promise<readonly StepResult<Refusal>[]> {
  const { tenantId, refundIds } = refundsIn(works);
  const refunds = await readRefunds(client, { tenantId, refundIds });
  const asked = refunds.filter(({ status }) => status === 'requested');
  const left = await lockLeft(client, { tenantId, orderIds: asked.map(({ orderId }) => orderId), captured });
  const accepted: string[] = [];
  const results = refunds.map((refund): StepResult<Refusal> => {
    if (refund.status === 'released')
      return { isDone: false, code: 'refund_undone', message: 'The refund was undone before it was accepted.' };
    if (refund.status !== 'requested') return { isDone: true };
    const before = left.get(refund.orderId);
    if (before === undefined) return { isDone: false, code: 'order_not_found', message: 'There is no such order.' };
    const refusal = refundRefusal(refund, before);
    if (refusal !== null) return { isDone: false, ...refusal };
    left.set(refund.orderId, afterRefund(before, refund));
    accepted.push(refund.refundId);
    return { isDone: true };
  });
  await setRefundStatus(client, { tenantId, refundIds: accepted, status: 'accepted' });
  return results;
}

/** Gives back what refunds spoke for; one that was never accepted can't be any more. */
export async function releaseRefund(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const refunds = await readRefunds(client, { tenantId, refundIds: works.map(({ processId }) => processId) });
  await setRefundStatus(client, {
    tenantId,
    status: 'released',
    refundIds: refunds.filter(({ status }) => status !== 'paid').map(({ refundId }) => refundId),
  });
  return refunds.map(({ status }) =>
    status === 'paid'
      ? { isDone: false, code: 'refund_paid', message: 'The refund was paid already.' }
      : { isDone: true },
  );
}

/**
 * Locks the orders and reads what is left of them. Of what was captured our refunds tell how much is spoken for, and
 * the payment how much went back, by others too; a refund that is being paid is in both.
 */
async function lockLeft(
  client: pg.ClientBase,
  { tenantId, orderIds, captured }: { tenantId: string; orderIds: readonly string[]; captured: CapturedByOrder },
): Promise<Map<string, Refundable>> {
  if (orderIds.length === 0) return new Map();
  await lockOrders(client, { tenantId, orderIds });
  const { rows } = await client.query<Left>({ name: 'refundable', text: REFUNDABLE, values: [tenantId, orderIds] });
  return new Map(
    rows.map(({ orderId, spokenForMinor, pieces, ...rest }) => {
      const { amountMinor, refundedMinor } = captured.get(orderId) ?? { amountMinor: 0, refundedMinor: 0 };
      return [
        orderId,
        {
          ...rest,
          amountMinor: amountMinor - Math.max(refundedMinor, spokenForMinor),
          pieces: new Map(Object.entries(pieces)),
        },
      ];
    }),
  );
}

// What settlements of the order take, or will as long as they are under way, is spoken for like what refunds do.
const SETTLED = `
  SELECT s.* FROM settlements AS s JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = s.id
  WHERE s.tenant_id = $1 AND s.order_id = o.id AND s.settled_id = o.id`;
const UNDER_WAY = `p.status NOT IN (${CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')})`;

const REFUNDABLE = `
  SELECT o.id::text AS "orderId", o.currency, coalesce(r.status = 'shipped', false) AS "isShipped",
    (SELECT coalesce(sum(amount_minor), 0)::float8 FROM refunds WHERE tenant_id = $1 AND order_id = o.id
      AND status IN ('accepted', 'paid'))
      + (SELECT coalesce(sum(amount_minor), 0)::float8 FROM (${SETTLED} AND (s.payment_at IS NOT NULL OR ${UNDER_WAY}))
        AS settled) AS "spokenForMinor",
    (SELECT coalesce(json_object_agg(sku, quantity), '{}') FROM (
      SELECT sku, sum(quantity) AS quantity FROM (
        SELECT sku, quantity FROM order_items WHERE tenant_id = $1 AND order_id = o.id
        UNION ALL
        SELECT i.sku, -i.quantity FROM refunds AS f, jsonb_to_recordset(f.items) AS i(sku text, quantity int)
        WHERE f.tenant_id = $1 AND f.order_id = o.id AND (f.status IN ('accepted', 'paid') OR f.goods = 'restocked')
        UNION ALL
        SELECT i.sku, -i.quantity
        FROM (${SETTLED} AND (s.pieces_at IS NOT NULL OR ${UNDER_WAY})) AS settled,
          jsonb_to_recordset(settled.items) AS i(sku text, quantity int)
      ) AS each GROUP BY sku
    ) AS total) AS pieces
  FROM orders AS o LEFT JOIN reservations AS r ON r.tenant_id = $1 AND r.order_id = o.id
  WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`;
