import { conflict, final, missing, type CodeEntry, type RefusalEntry } from '../shared/codes.ts';

/** Refusals of requests about orders, refunds and products. */
export const ORDER_PROBLEMS = {
  order_not_found: missing(
    'Order not found',
    'There is no such order, or it is not yours to see.',
    'Check the id, and whether the token belongs to a user of the customer.',
  ),
  refund_not_found: missing('Refund not found', 'There is no such refund.', 'Check the id and the tenant.'),
  product_not_found: missing('Product not found', 'There is no such product.', 'Check the `sku` and the tenant.'),
  customer_required: {
    title: 'Customer required',
    detail: 'Only an active user may order, and only for its own customer.',
    remedy: 'Complete the profile first, which ties the user to a customer.',
    retryable: true,
    kind: 'forbidden',
  },
  shipment_not_found: {
    ...conflict(
      'Not shipped',
      'There is no shipment of this order, and what became of one can not be kept for it.',
      'A delivery of an order under way is kept. Wait until it is `shipped` to say that its shipment was lost.',
    ),
    retryable: true,
  },
  delivery_known: conflict(
    'Delivery known',
    'Something else became of the shipment, and that was told before.',
    "Read the order's `status`; money and goods go back by a refund.",
  ),
  order_not_completed: {
    ...conflict(
      'Order not completed',
      'Only a completed order can be refunded.',
      'Cancel it while it is not shipped; else wait until it is delivered.',
    ),
    retryable: true,
  },
  order_ended: conflict(
    'Order ended',
    'The order ended without being completed, so there is nothing of it to refund.',
    'What an abandoned order has left over is `leftOver` of its process; `POST /processes/{id}/settle` gives it back.',
  ),
  stock_too_low: conflict(
    'Stock too low',
    'There would be less on hand than is reserved for orders.',
    'Count again, or cancel orders that have reserved the product.',
  ),
} as const satisfies Record<string, RefusalEntry>;

/** Why an order is refused before anything is done for it. */
export const ORDER_REFUSALS = {
  customer_not_active: final(
    'Customer not active',
    'The customer has no active user.',
    'Have a user of the customer activated, then order again.',
  ),
  order_empty: final('Order empty', 'The order has no line.', 'Order again, with at least one line.'),
  too_many_lines: final(
    'Too many lines',
    'The order has more lines than `ORDER_MAX_LINES`.',
    'Split it into several orders.',
  ),
  product_not_available: final(
    'Product not available',
    'A product does not exist, or is not sold any more.',
    'Order again without it, or make it active in the catalogue.',
  ),
  currency_mismatch: final(
    'Currency mismatch',
    'A product is not sold, or the order was not paid, in this currency.',
    'Ask again in the currency that `message` names or the catalogue has.',
  ),
  quantity_too_large: final(
    'Quantity too large',
    'A line is about more pieces than `ORDER_MAX_QUANTITY`.',
    'Order fewer pieces at once.',
  ),
  total_too_large: final(
    'Total too large',
    'The order is worth more than `ORDER_MAX_TOTAL_MINOR`.',
    'Split it into several orders.',
  ),
} satisfies Record<string, CodeEntry>;
export type OrderRefusal = keyof typeof ORDER_REFUSALS;

/** Why a refund is refused before anything is done for it. */
export const REFUND_REFUSALS = {
  order_not_shipped: final(
    'Order not shipped',
    'The order was not shipped; it can be cancelled instead.',
    'Cancel the order.',
  ),
  refund_exceeds_payment: final(
    'Refund exceeds payment',
    'There is not so much left to be refunded.',
    'Ask for no more than was paid, less what other refunds of the order are about.',
  ),
  refund_exceeds_order: final(
    'Refund exceeds order',
    'There are not so many pieces left to come back.',
    'Ask for no more pieces than were shipped, less what other refunds of the order are about.',
  ),
} satisfies Record<string, CodeEntry>;
export type RefundRefusal = keyof typeof REFUND_REFUSALS | Extract<OrderRefusal, 'currency_mismatch'>;

/** Why a step of an order or refund, or its undo, is refused by our own rows. */
export const STEP_REFUSALS = {
  out_of_stock: final(
    'Out of stock',
    'There are not enough pieces of a product.',
    'Order again once the product is in stock, or with fewer pieces.',
  ),
  order_undone: final(
    'Order undone',
    'The order was undone before this step was taken.',
    'Nothing: a late attempt came after the undo, and must not take effect.',
  ),
  already_shipped: final(
    'Already shipped',
    'The order has left the warehouse, so its stock is not given back.',
    'Get the goods back by hand and book them in, then skip the undo.',
  ),
  order_not_found: final(
    'Order not found',
    'There is no such order.',
    'Look why the refund outlived its order; its rows were removed by hand.',
  ),
  refund_undone: final(
    'Refund undone',
    'The refund was undone, or never accepted, before this step was taken.',
    'Nothing: a late attempt came after the undo, and must not take effect.',
  ),
  refund_paid: final(
    'Refund paid',
    'The refund was paid already.',
    'Skip the undo, and settle with the customer by hand if the money should not have gone.',
  ),
  goods_reserved: final(
    'Goods reserved',
    'The pieces that came back are reserved for other orders already.',
    'Retry the undo once there is stock, or skip it if the goods stay.',
  ),
  nothing_left_over: final(
    'Nothing left over',
    'What was to be settled is not left over any more.',
    'Read the process that was settled: `leftOver` says what is.',
  ),
  goodsReturned_overdue: final(
    'Goods not returned',
    'Nothing was heard of the goods of a refund in time.',
    'Ask for the refund again once they are back; `RETURN_DEADLINE_DAYS` is how long it waits.',
  ),
} satisfies Record<string, CodeEntry>;
export type StepRefusal = keyof typeof STEP_REFUSALS;

/** Why a message about a choreographed order is among the dead letters, besides the causes of every message. */
export const CHOREOGRAPHY_CAUSES = {
  malformed_message: final(
    'Malformed message',
    'The message is not one of a choreographed order, or came by the topic of another service.',
    'Find out who sent it, and discard it; AsyncAPI says what a message has.',
  ),
  unknown_order: final(
    'Unknown order',
    'The message is about an order that does not exist here, or that a workflow carries.',
    'Discard it; after a restore, replay it once the order is back.',
  ),
} satisfies Record<string, CodeEntry>;
export type ChoreographyCause = keyof typeof CHOREOGRAPHY_CAUSES;
