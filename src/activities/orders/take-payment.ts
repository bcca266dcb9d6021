import type { StepResult } from '../../domain/process/step-work.ts';
import type { Payment, PaymentAnswer, PaymentPort, PaymentRequest } from '../../gateways/payment/payment-port.ts';
import type { PortCall } from '../../gateways/provider.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';
import { ordersIn, paymentRequests } from './payment-requests.ts';

/** A payment to be taken; tried: an earlier attempt may have taken it. */
interface PaymentToTake {
  readonly request: PaymentRequest;
  readonly isTried: boolean;
}

/**
 * Takes the payments of orders: authorises, then captures. Whoever has tried before asks first what became of it, so
 * that an answer that got lost never leads to a second charge.
 */
export const takePayment: ProviderStep<
  PaymentPort,
  readonly PaymentToTake[],
  readonly PaymentAnswer[],
  PaymentRefusal
> = {
  read: async (client, works) =>
    (await paymentRequests(client, ordersIn(works))).map((request, place) => ({
      request,
      isTried: (works[place]?.attempts ?? 0) > 0,
    })),
  call: takeAll,
  // The money is in the provider's books; the process keeps the payment's key.
  record: async (_client, _works, answers) =>
    answers.map((answer): StepResult<PaymentRefusal> =>
      answer.isDone ? { isDone: true, result: { paymentId: answer.payment.key } } : answer,
    ),
};

/** Gives the payments of orders back, as far as they came; one that comes later still is refused. */
export const returnPayment: ProviderStep<PaymentPort, readonly PaymentRequest[], void, never> = {
  read: (client, works) => paymentRequests(client, ordersIn(works)),
  call: returnAll,
  record: async (_client, works) => works.map((): StepResult<never> => ({ isDone: true })),
};

async function takeAll(
  payments: PaymentPort,
  call: PortCall,
  toTake: readonly PaymentToTake[],
): Promise<readonly PaymentAnswer[]> {
  const requests = toTake.map(({ request }) => request);
  const answers = new Map<string, PaymentAnswer>();
  const tried = toTake.filter(({ isTried }) => isTried).map(({ request }) => request);
  for (const payment of await findAll(payments, call, tried))
    if (isGood(payment)) answers.set(payment.key, { isDone: true, payment });
  const unknown = requests.filter(({ key }) => !answers.has(key));
  (await payments.authorise({ ...call, calls: unknown })).forEach((answer, place) =>
    answers.set(keyAt(unknown, place), answer),
  );
  const authorised = requests.filter(({ key }) => {
    const answer = answers.get(key);
    return answer?.isDone === true && answer.payment.status === 'authorised';
  });
  const captures = authorised.map((payment) => ({ key: `order:${payment.orderId}:capture`, payment }));
  (await payments.capture({ ...call, calls: captures })).forEach((answer, place) =>
    answers.set(keyAt(authorised, place), answer),
  );
  return requests.map(({ key }) => {
    const answer = answers.get(key);
    if (answer === undefined) throw new Error('a payment was not answered');
    return answer;
  });
}

async function returnAll(payments: PaymentPort, call: PortCall, requests: readonly PaymentRequest[]): Promise<void> {
  const found = new Map((await findAll(payments, call, requests)).map((payment) => [payment.key, payment]));
  const toVoid = requests.filter(({ key }) => ['authorised', undefined].includes(found.get(key)?.status));
  const refunds = requests.flatMap((payment) => {
    const { status, amountMinor, refundedMinor } = found.get(payment.key) ?? {
      status: undefined,
      amountMinor: 0,
      refundedMinor: 0,
    };
    return status === 'captured'
      ? [{ key: `order:${payment.orderId}:refund`, payment, amountMinor: amountMinor - refundedMinor }]
      : [];
  });
  const answers = [
    ...(await payments.void({
      ...call,
      calls: toVoid.map((payment) => ({ key: `order:${payment.orderId}:void`, payment })),
    })),
    ...(await payments.refund({ ...call, calls: refunds })),
  ];
  // Refused though it was asked for: it was changed in between, so the next attempt asks again.
  const refused = answers.find(({ isDone }) => !isDone);
  if (refused?.isDone === false) throw new Error(`a payment could not be returned: ${refused.code}`);
}

async function findAll(
  payments: PaymentPort,
  call: PortCall,
  requests: readonly PaymentRequest[],
): Promise<readonly Payment[]> {
  if (requests.length === 0) return [];
  return [...(await payments.find({ ...call, keys: requests.map(({ key }) => key) })).values()];
}

function isGood({ status }: Payment): boolean {
  return status === 'authorised' || status === 'captured';
}

function keyAt(requests: readonly PaymentRequest[], place: number): string {
  const request = requests[place];
  if (request === undefined) throw new Error('there are more answers than calls');
  return request.key;
}
