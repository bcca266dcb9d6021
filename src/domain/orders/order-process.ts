import type { ProcessDefinition, Provider } from '../process/definition.ts';
import type { ProviderFailures } from './port-codes.ts';

/** Who took payments and shipped when there was no choice: orders without a provider in their data are theirs. */
export const LEDGER: Provider = { name: 'ledger', isRemote: false };
export const WAREHOUSE: Provider = { name: 'warehouse', isRemote: false };

/** Who takes the payment of an order, and who ships it. */
export interface OrderProviders {
  readonly payment: Provider;
  readonly shipping: Provider;
}

/** What an order waits to be told once it is shipped: it has reached its customer. */
export const DELIVERED = 'delivered';

/** What may become of a shipment, told with that event: lost and returned ones never reach their customer. */
export const DELIVERY_OUTCOMES = ['delivered', 'lost', 'returned'] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** The data of an order's process. What was ordered, by whom and where it goes is in the order's rows. */
// A type, since an interface is not assignable to a record.
export type OrderData = {
  /** How long after its shipment an order should be delivered, in milliseconds. */
  readonly deliveryLimitMs: number;
  readonly payment?: Provider;
  readonly shipping?: Provider;
  readonly totalMinor?: number;
  readonly currency?: string;
  readonly paymentId?: string;
  readonly shipmentId?: string;
};

/** The process of an order. Its pivot is the warehouse's acceptance of the shipment. */
export const orderProcess: ProcessDefinition<OrderData> = {
  type: 'order',
  summary: 'Order: validated, reserved, paid, shipped and delivered, or undone',
  sharesTransaction: true,
  steps: {
    validate_order: { execute: 'validateOrder' },
    reserve_inventory: { execute: 'reserveStock', compensate: 'releaseStock' },
    process_payment: {
      execute: 'takePayment',
      compensate: 'returnPayment',
      providedBy: 'payment',
      failures: { payment_timed_out: 'unknown' } satisfies ProviderFailures,
    },
    create_shipment: {
      execute: 'createShipment',
      compensate: 'cancelShipment',
      skip: 'shipByHand',
      providedBy: 'shipping',
      isPivot: true,
      failures: { warehouse_timed_out: 'unknown' } satisfies ProviderFailures,
    },
    await_delivery: {
      awaits: DELIVERED,
      foundBy: 'findDeliveries',
      limitMs: ({ deliveryLimitMs }) => deliveryLimitMs,
      late: 'remind',
    },
  },
};
