import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';
import type { Payment, PaymentPort, PaymentRequest } from '../../gateways/payment/payment-port.ts';
import type { PortCall } from '../../gateways/provider.ts';
import { setSettled } from '../../db/orders/settlement-rows.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import { releaseRefund } from './accept-refund.ts';
import { payBack } from './pay-back.ts';
import { paymentRequests } from './payment-requests.ts';
import { ofRefund, settledWorks } from './settled-works.ts';

type Refusal = PaymentRefusal | StepRefusal;
type Settled = StepResult<Refusal>;

/** What is left of an order's payment. */
interface LeftPayment {
  readonly key: string;
  readonly request: PaymentRequest;
  readonly amountMinor: number;
}

/** What is to be settled, each by the id of its settlement: payments of orders, and refunds that were promised. */
interface ToSettle {
  readonly payments: ReadonlyMap<string, LeftPayment>;
  readonly refunds: readonly StepWork[];
  readonly paybacks: Parameters<typeof payBack.call>[2];
}

/** What became of them. */
interface Answers {
  readonly payments: ReadonlyMap<string, Settled>;
  readonly paybacks: readonly Settled[];
}

type GiveBack = 'refund' | 'writeOff';

/** Gives back what is left of payments, as far as it came, and pays what refunds have promised; each once. */
export const refundPayment: ProviderStep<PaymentPort, ToSettle, Answers, Refusal> = {
  read: readPayments,
  call: async (port, call, { payments, paybacks }) => ({
    payments: await settleAll(port, call, { payments, move: 'refund' }),
    paybacks: paybacks.length === 0 ? [] : await payBack.call(port, call, paybacks),
  }),
  record: async (client, works, answers) => {
    const { refunds } = await readPayments(client, works);
    if (refunds.length > 0) await payBack.record(client, refunds, answers.paybacks);
    return recordSettled(client, works, answers);
  },
};

/** Gives up what is left of payments, where the books are ours, and what refunds have promised. */
export const writeOffPayment: ProviderStep<PaymentPort, ToSettle, Answers, Refusal> = {
  read: readPayments,
  call: async (port, call, { payments }) => ({
    payments: await settleAll(port, call, { payments, move: 'writeOff' }),
    paybacks: [],
  }),
  record: writtenOff,
};

/** The same of providers that are not asked. */
export async function writeOffUnasked(client: pg.ClientBase, works: readonly StepWork[]): Promise<readonly Settled[]> {
  return writtenOff(client, works, { payments: new Map(), paybacks: [] });
}

/** What was refunded by hand, at a provider that is not asked. */
export async function refundUnasked(client: pg.ClientBase, works: readonly StepWork[]): Promise<readonly Settled[]> {
  const { refunds } = await readPayments(client, works);
  const paybacks = refunds.map((): Settled => ({ isDone: true }));
  return refundPayment.record(client, works, { payments: new Map(), paybacks });
}

async function writtenOff(
  client: pg.ClientBase,
  works: readonly StepWork[],
  { payments }: Answers,
): Promise<readonly Settled[]> {
  const { refunds } = await readPayments(client, works);
  return recordSettled(client, works, { payments, paybacks: await releaseRefund(client, refunds) });
}

async function readPayments(client: pg.ClientBase, works: readonly StepWork[]): Promise<ToSettle> {
  const { tenantId, settled } = await settledWorks(client, works);
  const ofOrders = settled.filter(({ isOfRefund }) => !isOfRefund);
  const requests = await paymentRequests(client, {
    tenantId,
    orderIds: ofOrders.map(({ settlement }) => settlement.orderId),
  });
  const payments = ofOrders.flatMap(({ settlement }, place): [string, LeftPayment][] => {
    const request = requests[place];
    const { settlementId, amountMinor } = settlement;
    return request === undefined
      ? []
      : [[settlementId, { key: `settlement:${settlementId}`, request, amountMinor: amountMinor ?? 0 }]];
  });
  const refunds = settled.filter(({ isOfRefund }) => isOfRefund).map(ofRefund);
  return {
    payments: new Map(payments),
    refunds,
    paybacks: refunds.length === 0 ? [] : await payBack.read(client, refunds),
  };
}

/** Asks first what there is: what was set aside is given up, and what was taken is given back, each once. */
async function settleAll(
  port: PaymentPort,
  call: PortCall,
  { payments, move }: { payments: ToSettle['payments']; move: GiveBack },
): Promise<ReadonlyMap<string, Settled>> {
  const settled = new Map<string, Settled>();
  const given = await port.findRefunds({ ...call, keys: [...payments.values()].map(({ key }) => key) });
  const found = await port.find({ ...call, keys: [...payments.values()].map(({ request }) => request.key) });
  for (const [settlementId, payment] of payments) {
    const isGiven = given.has(payment.key);
    const answer = isGiven ? undefined : await settleOne(port, call, { payment, move, found });
    settled.set(settlementId, answer?.isDone === false ? answer : { isDone: true });
  }
  return settled;
}

async function settleOne(
  port: PaymentPort,
  call: PortCall,
  {
    payment: { key, request: payment, amountMinor },
    move,
    found,
  }: { payment: LeftPayment; move: GiveBack; found: ReadonlyMap<string, Payment> },
): Promise<Settled | undefined> {
  const known = found.get(payment.key);
  if (known === undefined || known.status === 'authorised') {
    const [answer] = await port.void({ ...call, calls: [{ key: `order:${payment.orderId}:void`, payment }] });
    return answer;
  }
  const left = known.status === 'captured' ? Math.min(amountMinor, known.amountMinor - known.refundedMinor) : 0;
  if (left === 0) return undefined;
  const [answer] = (await port[move]?.({ ...call, calls: [{ key, payment, amountMinor: left }] })) ?? [];
  return answer;
}

/** Writes which payments are settled. */
async function recordSettled(
  client: pg.ClientBase,
  works: readonly StepWork[],
  { payments, paybacks }: Answers,
): Promise<readonly Settled[]> {
  const { tenantId, settled } = await settledWorks(client, works);
  const ofRefunds = settled.filter(({ isOfRefund }) => isOfRefund);
  const results = settled.map((each): Settled => {
    const found = each.isOfRefund ? paybacks[ofRefunds.indexOf(each)] : payments.get(each.settlement.settlementId);
    return found?.isDone === false ? found : { isDone: true };
  });
  await setSettled(client, {
    tenantId,
    part: 'payment',
    settlementIds: settled
      .filter((_, place) => results[place]?.isDone === true)
      .map(({ settlement }) => settlement.settlementId),
  });
  return results;
}
