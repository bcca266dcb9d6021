import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import { afterRefund, refundRefusal, type Refundable } from '../../domain/orders/accept-refund.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import { paymentRequests } from './payment-requests.ts';
import { lockOrders, readRefunds, setRefundStatus } from '../../db/orders/refund-rows.ts';
import type { RefundRefusal, StepRefusal } from '../../domain/orders/codes.ts';

interface Left {
  readonly orderId: string;
  readonly currency: string;
  readonly isShipped: boolean;
  readonly acceptedMinor: number;
  readonly pieces: Readonly<Record<string, number>>;
}

/** Accepts refunds as far as what was captured goes, whatever other refunds of the orders are under way. */
export async function acceptRefund(
  payments: PaymentPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<RefundRefusal | StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const refunds = await readRefunds(client, { tenantId, refundIds: works.map(({ processId }) => processId) });
  const asked = refunds.filter(({ status }) => status === 'requested');
  const left =
    asked.length === 0
      ? new Map<string, Refundable>()
      : await readLeft(payments, client, { tenantId, orderIds: asked.map(({ orderId }) => orderId) });
  const accepted: string[] = [];
  const results = refunds.map((refund): StepResult<RefundRefusal | StepRefusal> => {
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

/** Locks the orders and reads what is left of them. */
async function readLeft(
  payments: PaymentPort,
  client: pg.ClientBase,
  { tenantId, orderIds }: { tenantId: string; orderIds: readonly string[] },
): Promise<Map<string, Refundable>> {
  await lockOrders(client, { tenantId, orderIds });
  const { rows } = await client.query<Left>({ name: 'refundable', text: REFUNDABLE, values: [tenantId, orderIds] });
  const shipped = rows.filter(({ isShipped }) => isShipped).map(({ orderId }) => orderId);
  const requests = await paymentRequests(client, { tenantId, orderIds: shipped });
  const found = await payments.find({ books: client, tenantId, keys: requests.map(({ key }) => key) });
  const captured = new Map(
    requests.map(({ orderId, key }) => {
      const payment = found.get(key);
      return [orderId, payment?.status === 'captured' ? payment.amountMinor - payment.refundedMinor : 0];
    }),
  );
  return new Map(
    rows.map(({ orderId, acceptedMinor, pieces, ...rest }) => [
      orderId,
      {
        ...rest,
        amountMinor: (captured.get(orderId) ?? 0) - acceptedMinor,
        pieces: new Map(Object.entries(pieces)),
      },
    ]),
  );
}

// Of a refund that is paid the payment says it.
const REFUNDABLE = `
  SELECT o.id::text AS "orderId", o.currency, coalesce(r.status = 'shipped', false) AS "isShipped",
    (SELECT coalesce(sum(amount_minor), 0)::float8 FROM refunds WHERE tenant_id = $1 AND order_id = o.id
      AND status = 'accepted') AS "acceptedMinor",
    (SELECT coalesce(json_object_agg(sku, quantity), '{}') FROM (
      SELECT sku, sum(quantity) AS quantity FROM (
        SELECT sku, quantity FROM order_items WHERE tenant_id = $1 AND order_id = o.id
        UNION ALL
        SELECT i.sku, -i.quantity FROM refunds AS f, jsonb_to_recordset(f.items) AS i(sku text, quantity int)
        WHERE f.tenant_id = $1 AND f.order_id = o.id AND f.status IN ('accepted', 'paid')
      ) AS each GROUP BY sku
    ) AS total) AS pieces
  FROM orders AS o LEFT JOIN reservations AS r ON r.tenant_id = $1 AND r.order_id = o.id
  WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`;
