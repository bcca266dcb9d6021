import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { PaymentPort, PaymentRequest } from '../../gateways/payment/payment-port.ts';
import type { PortCall } from '../../gateways/provider.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';
import { paymentRequests } from './payment-requests.ts';
import { readRefunds, setRefundStatus, type RefundRow } from '../../db/orders/refund-rows.ts';

/** A refund whose payment is known where it is accepted; tried: an earlier attempt may have paid it. */
interface Payback {
  readonly refund: RefundRow;
  readonly payment: PaymentRequest | null;
  readonly isTried: boolean;
}

type Refusal = PaymentRefusal | StepRefusal;
type Payout = StepResult<Refusal>;

/** Pays accepted refunds back, each once; whoever has tried before asks first what became of it. */
export const payBack: ProviderStep<PaymentPort, readonly Payback[], readonly Payout[], Refusal> = {
  read: async (client, works) => {
    const { tenantId, refundIds } = refundsIn(works);
    const refunds = await readRefunds(client, { tenantId, refundIds });
    const orderIds = refunds.filter(({ status }) => status === 'accepted').map(({ orderId }) => orderId);
    const payments = await paymentRequests(client, { tenantId, orderIds });
    return refunds.map((refund, place) => ({
      refund,
      payment:
        refund.status === 'accepted' ? (payments.find(({ orderId }) => orderId === refund.orderId) ?? null) : null,
      isTried: (works[place]?.attempts ?? 0) > 0,
    }));
  },
  call: payAll,
  record: async (client, works, results) => {
    const { tenantId, refundIds } = refundsIn(works);
    const paid = refundIds.filter((_, place) => results[place]?.isDone === true);
    await setRefundStatus(client, { tenantId, status: 'paid', refundIds: paid });
    return results;
  },
};

/** The same for refunds that were paid by hand, at a provider that is not asked. */
export async function paidByHand(client: pg.ClientBase, works: readonly StepWork[]): Promise<readonly Payout[]> {
  const { tenantId, refundIds } = refundsIn(works);
  const refunds = await readRefunds(client, { tenantId, refundIds });
  const results = refunds.map(({ status }): Payout => (isPayable(status) ? { isDone: true } : NOT_ACCEPTED));
  return payBack.record(client, works, results);
}

/** The refunds whose processes these are. */
export function refundsIn(works: readonly StepWork[]): { tenantId: string; refundIds: readonly string[] } {
  const [first] = works;
  if (first === undefined) throw new Error('a step is taken for nobody');
  return { tenantId: first.tenantId, refundIds: works.map(({ processId }) => processId) };
}

async function payAll(payments: PaymentPort, call: PortCall, paybacks: readonly Payback[]): Promise<readonly Payout[]> {
  const tried = paybacks.filter(({ isTried }) => isTried).map(keyOf);
  const known = tried.length === 0 ? new Set<string>() : await payments.findRefunds({ ...call, keys: tried });
  const calls = paybacks.flatMap((payback) => {
    const { refund, payment } = payback;
    const key = keyOf(payback);
    return payment === null || known.has(key) ? [] : [{ key, payment, amountMinor: refund.amountMinor }];
  });
  const answers = await payments.refund({ ...call, calls });
  const refused = new Map(
    answers.flatMap((answer, place): [string | undefined, Payout][] =>
      answer.isDone ? [] : [[calls[place]?.key, answer]],
    ),
  );
  return paybacks.map((payback): Payout => {
    if (!isPayable(payback.refund.status)) return NOT_ACCEPTED;
    return refused.get(keyOf(payback)) ?? { isDone: true, result: { transferKey: keyOf(payback) } };
  });
}

const NOT_ACCEPTED: Payout = { isDone: false, code: 'refund_undone', message: 'The refund is not accepted.' };

function isPayable(status: RefundRow['status']): boolean {
  return status === 'accepted' || status === 'paid';
}

function keyOf({ refund }: Payback): string {
  return `refund:${refund.refundId}`;
}
