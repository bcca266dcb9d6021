import type { OrderRefusal } from './codes.ts';

/** How large an order may be. */
export interface OrderLimits {
  readonly maxLines: number;
  /** Pieces a line. */
  readonly maxQuantity: number;
  readonly maxTotalMinor: number;
}

/** An order as it was placed, with what is known of its customer and its products. */
export interface PlacedOrder {
  readonly currency: string;
  readonly isCustomerActive: boolean;
  readonly lines: readonly {
    readonly line: number;
    readonly sku: string;
    readonly quantity: number;
    /** Null: there is no such product. Money is in minor units. */
    readonly product: { readonly priceMinor: number; readonly currency: string; readonly isActive: boolean } | null;
  }[];
}

/** An order with our prices, or why it can't be carried out, in words for the customer. */
export type PricedOrder =
  | {
      readonly isDone: true;
      readonly totalMinor: number;
      readonly lines: readonly { readonly line: number; readonly unitPriceMinor: number }[];
    }
  | { readonly isDone: false; readonly code: OrderRefusal; readonly message: string };

/** Checks an order and prices it by the catalogue, in minor units of the order's currency. */
export function priceOrder(
  { currency, isCustomerActive, lines }: PlacedOrder,
  { maxLines, maxQuantity, maxTotalMinor }: OrderLimits,
): PricedOrder {
  if (!isCustomerActive) return refused('customer_not_active', 'The customer has no active user.');
  if (lines.length === 0) return refused('order_empty', 'The order has no line.');
  if (lines.length > maxLines) return refused('too_many_lines', `An order may have up to ${maxLines} lines.`);
  const priced: { line: number; unitPriceMinor: number }[] = [];
  let totalMinor = 0;
  for (const { line, sku, quantity, product } of lines) {
    if (product?.isActive !== true)
      return refused('product_not_available', `There is no product ${sku} to be ordered.`);
    if (product.currency !== currency)
      return refused('currency_mismatch', `The product ${sku} is not sold in ${currency}.`);
    if (quantity > maxQuantity)
      return refused('quantity_too_large', `Up to ${maxQuantity} pieces of ${sku} may be ordered at once.`);
    priced.push({ line, unitPriceMinor: product.priceMinor });
    totalMinor += quantity * product.priceMinor;
  }
  if (totalMinor > maxTotalMinor) return refused('total_too_large', 'The order is larger than orders may be.');
  return { isDone: true, totalMinor, lines: priced };
}

function refused(code: OrderRefusal, message: string): Extract<PricedOrder, { isDone: false }> {
  return { isDone: false, code, message };
}
