import type { Address } from '../../domain/orders/address.ts';
import type { ShippingRefusal } from '../../domain/orders/port-codes.ts';
import type { PortCall } from '../provider.ts';

/** A shipment; cancelled: also one that was cancelled before it was ever accepted, and can't be any more. */
export interface Shipment {
  readonly shipmentId: string;
  readonly status: 'accepted' | 'cancelled' | 'delivered';
}

/** The answer for one order of a list; a refusal's message is for the customer and names nobody. */
export type ShippingAnswer =
  | { readonly isDone: true; readonly shipment: Shipment }
  | { readonly isDone: false; readonly code: ShippingRefusal; readonly message: string };

/** An order to be shipped; its id is the idempotency key. `shipTo` is null once its user is deleted. */
export interface ShipmentCall {
  readonly orderId: string;
  readonly shipTo: Address | null;
}

/**
 * Who ships, over lists, with an answer for each in their order. An order is accepted once, however often it is asked.
 * What throws may have taken effect: `find` tells.
 */
export interface ShippingPort {
  accept(request: PortCall & { readonly calls: readonly ShipmentCall[] }): Promise<readonly ShippingAnswer[]>;
  /** Calls a shipment back before it is delivered; what was never accepted can't be any more. */
  cancel(request: PortCall & { readonly orderIds: readonly string[] }): Promise<readonly ShippingAnswer[]>;
  /** The shipments by order id; what was never heard of is missing. */
  find(request: PortCall & { readonly orderIds: readonly string[] }): Promise<ReadonlyMap<string, Shipment>>;
}
