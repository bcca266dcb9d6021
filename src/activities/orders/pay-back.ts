import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { Books, PaymentPort } from '../../gateways/payment/payment-port.ts';
import { paymentRequests } from './payment-requests.ts';
import { lockOrders, readRefunds, setRefundStatus } from '../../db/orders/refund-rows.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';

/** Pays accepted refunds back, each once; whoever has tried before asks first what became of it. */
export async function payBack(
  payments: PaymentPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<PaymentRefusal | StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const books: Books = { books: client, tenantId: first.tenantId };
  const refunds = await readRefunds(client, { ...books, refundIds: works.map(({ processId }) => processId) });
  await lockOrders(client, { ...books, orderIds: refunds.map(({ orderId }) => orderId) });
  const isTried = new Set(works.filter(({ attempts }) => attempts > 0).map(({ processId }) => processId));
  const tried = refunds.filter(({ refundId }) => isTried.has(refundId)).map(keyOf);
  const known = tried.length === 0 ? new Set<string>() : await payments.findRefunds({ ...books, keys: tried });
  const accepted = refunds.filter(({ status }) => status === 'accepted');
  const toPay = accepted.filter((refund) => !known.has(keyOf(refund)));
  const requests = await paymentRequests(client, { ...books, orderIds: toPay.map(({ orderId }) => orderId) });
  const answers = await payments.refund({
    ...books,
    calls: requests.map((payment, place) => ({
      payment,
      key: keyOf(toPay[place]),
      amountMinor: toPay[place]?.amountMinor ?? 0,
    })),
  });
  const refused = new Map(
    answers.flatMap((answer, place): [string, StepResult<PaymentRefusal | StepRefusal>][] =>
      answer.isDone ? [] : [[keyOf(toPay[place]), answer]],
    ),
  );
  await setRefundStatus(client, {
    ...books,
    status: 'paid',
    refundIds: accepted.filter((refund) => !refused.has(keyOf(refund))).map(({ refundId }) => refundId),
  });
  return refunds.map((refund): StepResult<PaymentRefusal | StepRefusal> => {
    if (refund.status === 'requested' || refund.status === 'released')
      return { isDone: false, code: 'refund_undone', message: 'The refund is not accepted.' };
    return refused.get(keyOf(refund)) ?? { isDone: true, result: { transferKey: keyOf(refund) } };
  });
}

function keyOf(refund: { refundId: string } | undefined): string {
  if (refund === undefined) throw new Error('there are more payments than refunds');
  return `refund:${refund.refundId}`;
}
