import { assertNever } from '../../../domain/shared/assert-never.ts';
import { PAYMENT_REFUSALS, type PaymentRefusal } from '../../../domain/orders/port-codes.ts';
import type { Payment, PaymentAnswer, PaymentRequest } from '../payment-port.ts';

/** One call on the ledger. */
export type LedgerCall =
  | { readonly type: 'authorise'; readonly payment: PaymentRequest }
  | { readonly type: 'capture' | 'void'; readonly key: string; readonly payment: PaymentRequest }
  | {
      readonly type: 'refund' | 'writeOff';
      readonly key: string;
      readonly payment: PaymentRequest;
      readonly amountMinor: number;
    };

/** A payment as its row has it. */
export interface LedgerPayment extends Payment, Pick<PaymentRequest, 'orderId' | 'customerId' | 'currency'> {}

/**
 * A customer's debt in one currency: held is authorised, owed is captured and not refunded; both together are limited.
 */
export interface CreditAccount extends Pick<PaymentRequest, 'customerId' | 'currency'> {
  readonly limitMinor: number;
  readonly heldMinor: number;
  readonly owedMinor: number;
}

/** One movement: what one account is debited the other is credited. */
export interface Transfer extends Pick<PaymentRequest, 'orderId'> {
  readonly key: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: number;
}

/** What a call looks at. */
export interface Found {
  /** Absent: the customer never had one in this currency. */
  readonly account: CreditAccount | undefined;
  readonly payment: LedgerPayment | undefined;
  /** What was transferred under the call's own key. */
  readonly transfer: Pick<Transfer, 'orderId' | 'amountMinor'> | undefined;
}

/** What a call leads to: the payment as it then is, the transfers, and how the customer's account changes. */
export interface Posting {
  readonly payment: LedgerPayment;
  readonly transfers: readonly Transfer[];
  readonly heldMinor: number;
  readonly owedMinor: number;
}

/** What has been decided on a call; an answer needs nothing written. */
export type CallDecision =
  | { readonly type: 'answer'; readonly answer: PaymentAnswer }
  | ({ readonly type: 'post' } & Posting);

/** Decides on a call; throws when a key comes again with another meaning. */
export function decideCall(call: LedgerCall, found: Found): CallDecision {
  const { payment } = found;
  if (payment !== undefined) assertSamePayment(payment, call.payment);
  switch (call.type) {
    case 'authorise':
      return payment === undefined
        ? authorise(call.payment, found.account)
        : answer(payment, ['authorised', 'captured']);
    case 'capture':
      return payment?.status === 'authorised' ? capture(call.key, payment) : answer(payment, ['captured']);
    case 'void':
      return voided(call, payment);
    case 'refund':
      return giveBack(call, found, REVENUE);
    case 'writeOff':
      return giveBack(call, found, WRITTEN_OFF);
    default:
      return assertNever(call);
  }
}

function authorise(request: PaymentRequest, account: CreditAccount | undefined): CallDecision {
  const { limitMinor = 0, heldMinor = 0, owedMinor = 0 } = account ?? {};
  if (heldMinor + owedMinor + request.amountMinor > limitMinor) return post(blank(request, 'declined'), [], {});
  const transfer = { ...request, debit: held(request), credit: AUTHORISED };
  return post(blank(request, 'authorised'), [transfer], { heldMinor: request.amountMinor });
}

function capture(key: string, payment: LedgerPayment): CallDecision {
  const { amountMinor } = payment;
  return post(
    { ...payment, status: 'captured' },
    [
      { ...payment, key: `${key}:held`, debit: AUTHORISED, credit: held(payment) },
      { ...payment, key, debit: receivable(payment), credit: REVENUE },
    ],
    { heldMinor: -amountMinor, owedMinor: amountMinor },
  );
}

function voided(
  { key, payment: request }: Exclude<LedgerCall, { type: 'authorise' }>,
  payment: LedgerPayment | undefined,
): CallDecision {
  if (payment === undefined) return post(blank(request, 'voided'), [], {});
  if (payment.status !== 'authorised') return answer(payment, ['voided', 'declined']);
  const transfer = { ...payment, key, debit: AUTHORISED, credit: held(payment) };
  return post({ ...payment, status: 'voided' }, [transfer], { heldMinor: -payment.amountMinor });
}

/** Lets a customer owe less, at the cost of `debit`: the revenue that is none, or the loss. */
function giveBack(
  { key, amountMinor }: Extract<LedgerCall, { type: 'refund' | 'writeOff' }>,
  { payment, transfer }: Found,
  debit: string,
): CallDecision {
  if (payment !== undefined && transfer !== undefined) {
    if (transfer.orderId !== payment.orderId || transfer.amountMinor !== amountMinor)
      throw new Error(`key ${key} was used for another refund`);
    return { type: 'answer', answer: { isDone: true, payment } };
  }
  if (payment?.status !== 'captured') return answer(payment, []);
  const refundedMinor = payment.refundedMinor + amountMinor;
  if (refundedMinor > payment.amountMinor) return refused('refund_exceeds_payment');
  const status = refundedMinor === payment.amountMinor ? 'refunded' : 'captured';
  return post(
    { ...payment, status, refundedMinor },
    [{ ...payment, key, amountMinor, debit, credit: receivable(payment) }],
    { owedMinor: -amountMinor },
  );
}

/** Done when the payment has one of these statuses already, else the refusal that its status is. */
function answer(payment: LedgerPayment | undefined, done: readonly Payment['status'][]): CallDecision {
  if (payment === undefined) return refused('payment_not_authorised');
  if (done.includes(payment.status)) return { type: 'answer', answer: { isDone: true, payment } };
  return refused(REFUSED_AS[payment.status]);
}

function refused(code: PaymentRefusal): CallDecision {
  return { type: 'answer', answer: { isDone: false, code, message: PAYMENT_REFUSALS[code].detail } };
}

const REFUSED_AS: Readonly<Record<Payment['status'], PaymentRefusal>> = {
  authorised: 'payment_not_captured',
  captured: 'payment_captured',
  voided: 'payment_voided',
  refunded: 'payment_refunded',
  declined: 'payment_declined',
};

/** Moves nothing when there is nothing to pay: a transfer of nothing is none. */
function post(
  payment: LedgerPayment,
  transfers: readonly Transfer[],
  { heldMinor = 0, owedMinor = 0 }: { heldMinor?: number; owedMinor?: number },
): CallDecision {
  return {
    type: 'post',
    payment,
    transfers: transfers.filter(({ amountMinor }) => amountMinor > 0),
    heldMinor,
    owedMinor,
  };
}

function blank(
  { key, orderId, customerId, amountMinor, currency }: PaymentRequest,
  status: Payment['status'],
): LedgerPayment {
  return { key, orderId, customerId, amountMinor, currency, status, refundedMinor: 0 };
}

function assertSamePayment(known: LedgerPayment, asked: PaymentRequest): void {
  const isSame = (['orderId', 'customerId', 'amountMinor', 'currency'] as const).every(
    (field) => known[field] === asked[field],
  );
  if (!isSame) throw new Error(`key ${known.key} was used for another payment`);
}

/** Counterpart of what is held, until it is captured or voided. */
const AUTHORISED = 'authorised';
const REVENUE = 'revenue';
/** What customers owed and nobody asks for any more. */
const WRITTEN_OFF = 'written_off';
const held = ({ customerId }: Pick<PaymentRequest, 'customerId'>): string => `held:${customerId}`;
const receivable = ({ customerId }: Pick<PaymentRequest, 'customerId'>): string => `receivable:${customerId}`;
