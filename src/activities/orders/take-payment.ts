import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type {
  Books,
  Payment,
  PaymentAnswer,
  PaymentPort,
  PaymentRequest,
} from '../../gateways/payment/payment-port.ts';
import { paymentRequests } from './payment-requests.ts';
import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';

/**
 * Takes the payments of orders: authorises, then captures. Whoever has tried before asks first what became of it, so
 * that an answer that got lost never leads to a second charge.
 */
export async function takePayment(
  payments: PaymentPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<PaymentRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const books: Books = { books: client, tenantId: first.tenantId };
  const requests = await paymentRequests(client, { ...books, orderIds: works.map(({ processId }) => processId) });
  const answers = new Map<string, PaymentAnswer>();
  const repeated = requests.filter((_, place) => (works[place]?.attempts ?? 0) > 0);
  for (const payment of await findAll(payments, books, repeated))
    if (isGood(payment)) answers.set(payment.key, { isDone: true, payment });
  const unknown = requests.filter(({ key }) => !answers.has(key));
  (await payments.authorise({ ...books, calls: unknown })).forEach((answer, place) =>
    answers.set(keyAt(unknown, place), answer),
  );
  const authorised = requests.filter(({ key }) => {
    const answer = answers.get(key);
    return answer?.isDone === true && answer.payment.status === 'authorised';
  });
  const captures = authorised.map((payment) => ({ key: `order:${payment.orderId}:capture`, payment }));
  (await payments.capture({ ...books, calls: captures })).forEach((answer, place) =>
    answers.set(keyAt(authorised, place), answer),
  );
  return requests.map(({ key }): StepResult<PaymentRefusal> => {
    const answer = answers.get(key);
    if (answer === undefined) throw new Error('a payment was not answered');
    return answer.isDone ? { isDone: true, result: { paymentId: key } } : answer;
  });
}

/** Gives the payments of orders back, as far as they came; one that comes later still is refused. */
export async function returnPayment(
  payments: PaymentPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<never>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const books: Books = { books: client, tenantId: first.tenantId };
  const requests = await paymentRequests(client, { ...books, orderIds: works.map(({ processId }) => processId) });
  const found = new Map((await findAll(payments, books, requests)).map((payment) => [payment.key, payment]));
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
      ...books,
      calls: toVoid.map((payment) => ({ key: `order:${payment.orderId}:void`, payment })),
    })),
    ...(await payments.refund({ ...books, calls: refunds })),
  ];
  // Refused though it was asked for: it was changed in between, so the next attempt asks again.
  const refused = answers.find(({ isDone }) => !isDone);
  if (refused?.isDone === false) throw new Error(`a payment could not be returned: ${refused.code}`);
  return works.map(() => ({ isDone: true }));
}

async function findAll(
  payments: PaymentPort,
  books: Books,
  requests: readonly PaymentRequest[],
): Promise<readonly Payment[]> {
  if (requests.length === 0) return [];
  return [...(await payments.find({ ...books, keys: requests.map(({ key }) => key) })).values()];
}

function isGood({ status }: Payment): boolean {
  return status === 'authorised' || status === 'captured';
}

function keyAt(requests: readonly PaymentRequest[], place: number): string {
  const request = requests[place];
  if (request === undefined) throw new Error('there are more answers than calls');
  return request.key;
}
