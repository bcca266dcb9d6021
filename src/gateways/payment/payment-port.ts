import type { PaymentRefusal } from '../../domain/orders/port-codes.ts';
import type { PortCall } from '../provider.ts';

/** The payment of an order, known by the key of its authorisation. */
export interface PaymentRequest {
  /** Idempotency key, of business identity and step: `order:{id}:authorise`, whatever the sum and the attempt. */
  readonly key: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly method: string;
}

/** A payment as whoever keeps it knows it. */
export interface Payment {
  readonly key: string;
  /** Voided: also one that was voided before it was ever authorised, and can't be any more. Refunded: in whole. */
  readonly status: 'authorised' | 'captured' | 'voided' | 'refunded' | 'declined';
  readonly amountMinor: number;
  readonly refundedMinor: number;
}

/** The answer for one payment of a list; a refusal's message is for the customer, and nothing took effect. */
export type PaymentAnswer =
  | { readonly isDone: true; readonly payment: Payment }
  | { readonly isDone: false; readonly code: PaymentRefusal; readonly message: string };

/** Something to be done to a payment, under an idempotency key of its own. */
export interface PaymentCall {
  readonly key: string;
  readonly payment: PaymentRequest;
}

/** Part of a captured payment that goes back. */
export interface RefundCall extends PaymentCall {
  readonly amountMinor: number;
}

/**
 * Who takes payments, over lists, with an answer for each in their order. A key is carried out once, however often it
 * comes and however late; the same key for another sum throws. What throws otherwise may have taken effect: `find`
 * tells.
 */
export interface PaymentPort {
  authorise(request: PortCall & { readonly calls: readonly PaymentRequest[] }): Promise<readonly PaymentAnswer[]>;
  /** Takes what was authorised, in whole. */
  capture(request: PortCall & { readonly calls: readonly PaymentCall[] }): Promise<readonly PaymentAnswer[]>;
  /** Gives up what was authorised; what never was can't be authorised any more. */
  void(request: PortCall & { readonly calls: readonly PaymentCall[] }): Promise<readonly PaymentAnswer[]>;
  refund(request: PortCall & { readonly calls: readonly RefundCall[] }): Promise<readonly PaymentAnswer[]>;
  /**
   * Gives up what was captured without paying it back, as a loss. Only where the books are ours: a provider that keeps
   * its own is not asked, and has none.
   */
  writeOff?(request: PortCall & { readonly calls: readonly RefundCall[] }): Promise<readonly PaymentAnswer[]>;
  /** The payments of these keys, by key; what was never heard of is missing. */
  find(request: PortCall & { readonly keys: readonly string[] }): Promise<ReadonlyMap<string, Payment>>;
  /** Those of these keys under which a refund was made. */
  findRefunds(request: PortCall & { readonly keys: readonly string[] }): Promise<ReadonlySet<string>>;
}
