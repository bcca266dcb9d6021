import type { RefundRefusal } from './codes.ts';

/** A refund that is asked for. */
export interface AskedRefund {
  readonly amountMinor: number;
  readonly currency: string;
  /** Pieces that come back, each sku once. */
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
}

/** What is left of an order that may be refunded. */
export interface Refundable {
  readonly isShipped: boolean;
  readonly currency: string;
  /** Captured, less what was refunded and what accepted refunds will pay; in minor units. */
  readonly amountMinor: number;
  /** Pieces of each sku that were shipped, less those that came back and those that accepted refunds wait for. */
  readonly pieces: ReadonlyMap<string, number>;
}

/** Why a refund can't be made, in words for the customer; null: it can. */
export function refundRefusal(
  refund: AskedRefund,
  left: Refundable,
): { readonly code: RefundRefusal; readonly message: string } | null {
  if (!left.isShipped)
    return { code: 'order_not_shipped', message: 'The order was not shipped; it can be cancelled instead.' };
  if (refund.currency !== left.currency)
    return { code: 'currency_mismatch', message: `The order was paid in ${left.currency}.` };
  if (refund.amountMinor > left.amountMinor)
    return { code: 'refund_exceeds_payment', message: 'There is not so much left to be refunded.' };
  const unknown = refund.items.find(({ sku, quantity }) => quantity > (left.pieces.get(sku) ?? 0));
  return unknown === undefined
    ? null
    : { code: 'refund_exceeds_order', message: `There are not so many pieces of ${unknown.sku} left to come back.` };
}

/** What is left once the refund is accepted. */
export function afterRefund(left: Refundable, { amountMinor, items }: AskedRefund): Refundable {
  const pieces = new Map(left.pieces);
  for (const { sku, quantity } of items) pieces.set(sku, (pieces.get(sku) ?? 0) - quantity);
  return { ...left, amountMinor: left.amountMinor - amountMinor, pieces };
}
