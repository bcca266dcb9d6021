import { final, passing, type CodeEntry } from '../shared/codes.ts';
import type { FailureClass } from '../process/definition.ts';
import { REFUND_REFUSALS } from './codes.ts';

/** Why whoever takes payments refuses a call; the sentence is what the customer reads. */
export const PAYMENT_REFUSALS = {
  payment_declined: final(
    'Payment declined',
    "The payment was declined: it goes beyond the customer's credit.",
    'Order less, pay what is owed, or raise `CUSTOMER_CREDIT_LIMIT_MINOR`.',
  ),
  payment_voided: final(
    'Payment voided',
    'The payment was given up.',
    'Nothing: a late attempt came after the undo, and must not take effect.',
  ),
  payment_refunded: final(
    'Payment refunded',
    'The payment was refunded.',
    'Nothing, if the sum is the expected one; compare the order with the books.',
  ),
  payment_captured: final(
    'Payment captured',
    'The payment was taken already.',
    'Refund it instead of giving it up; a retry of the undo does so by itself.',
  ),
  payment_not_authorised: final(
    'Payment not authorised',
    'The payment was never authorised.',
    'Compare the order with the books: a step was skipped by hand, or the books were restored.',
  ),
  payment_not_captured: final(
    'Payment not captured',
    'The payment was not taken yet.',
    'Compare the order with the books: what was not taken is given up, not refunded.',
  ),
  refund_exceeds_payment: REFUND_REFUSALS.refund_exceeds_payment,
} satisfies Record<string, CodeEntry>;
export type PaymentRefusal = keyof typeof PAYMENT_REFUSALS;

/** Why whoever ships refuses a call; the sentence is what the customer reads. */
export const SHIPPING_REFUSALS = {
  invalid_address: final(
    'Invalid address',
    'The warehouse does not ship to this address.',
    'Order again to a complete address in one of `SHIP_TO_COUNTRIES`.',
  ),
  shipment_cancelled: final(
    'Shipment cancelled',
    'The shipment was cancelled.',
    'Nothing: a late attempt came after the undo, and must not take effect.',
  ),
  already_delivered: final(
    'Already delivered',
    'The shipment was delivered already.',
    'Let the order complete, and refund it.',
  ),
} satisfies Record<string, CodeEntry>;
export type ShippingRefusal = keyof typeof SHIPPING_REFUSALS;

/** Failures of calls to them, by which a provider says that what it was asked may have taken effect. */
export const PORT_FAILURES = {
  payment_timed_out: passing(
    'Payment timed out',
    'Whoever takes payments did not answer in time; the payment may have been taken.',
    'Wait: it is tried again, and asks first what became of it. Once parked, ask the provider before you decide.',
  ),
  warehouse_timed_out: passing(
    'Warehouse timed out',
    'The warehouse did not answer in time; the shipment may have been accepted.',
    'Wait: it is tried again, and asks first what became of it. Once parked, ask the warehouse before you decide.',
  ),
} satisfies Record<string, CodeEntry>;

/** How a step classes what a provider's calls fail with. */
export type ProviderFailures = Readonly<Partial<Record<keyof typeof PORT_FAILURES, FailureClass>>>;
