import { z } from 'zod';
import { ORDER_MESSAGES, type OrderMessageType, type OrderService } from '../domain/orders/choreographed-order.ts';
import type { BusMessage } from '../messaging/bus.ts';
import { cloudEvent, MAX_ID_LENGTH } from './cloud-event.ts';

const orderGuid = z.guid().describe('Our id of the order; the key, and the `correlationid`.');
const items = z
  .array(z.object({ sku: z.string().min(1).max(64), quantity: z.int32().positive() }))
  .min(1)
  .describe('Each sku once.');
const provider = z
  .object({ name: z.string().min(1), isRemote: z.boolean() })
  .describe('Who does it, chosen when the order was placed.');
const refusal = z.object({
  orderId: orderGuid,
  code: z.string().min(1).max(100).describe('As the error catalogue explains it.'),
  message: z.string().max(2_000).describe('For the customer; it names nobody.'),
});
const payment = z.object({
  orderId: orderGuid,
  customerId: z.string(),
  amountMinor: z.int().nonnegative().describe('In minor units of the currency.'),
  currency: z.string(),
  method: z.string(),
  provider,
});
const ofOrder = z.object({ orderId: orderGuid });

/** What the data of each message are. No personal data: who needs the address of an order asks `order` for it. */
const DATA = {
  OrderCreated: z.object({ orderId: orderGuid, customerId: z.string(), currency: z.string(), items }),
  CancelOrder: ofOrder,
  ReserveInventory: z.object({ orderId: orderGuid, items }),
  InventoryReserved: ofOrder,
  InventoryRejected: refusal,
  ReleaseInventory: z.object({ orderId: orderGuid, items }),
  InventoryReleased: ofOrder,
  InventoryShipped: z.object({ orderId: orderGuid, shipmentId: z.string() }),
  ProcessPayment: payment,
  PaymentProcessed: z.object({ orderId: orderGuid, paymentId: z.string() }),
  PaymentFailed: refusal,
  RefundPayment: payment,
  PaymentRefunded: ofOrder,
  ShipOrder: z.object({ orderId: orderGuid, items, provider }),
  OrderShipped: z.object({ orderId: orderGuid, shipmentId: z.string(), items }),
  ShipmentRejected: refusal,
  CancelShipment: z.object({ orderId: orderGuid, provider }),
  ShipmentCancelled: ofOrder,
  ShipmentKept: ofOrder,
  ShipmentDelivered: ofOrder,
  ShipmentLost: ofOrder,
  ShipmentReturned: ofOrder,
} as const satisfies Record<OrderMessageType, z.ZodObject>;

function choreographed<Type extends OrderMessageType, Data extends z.ZodType>(type: Type, data: Data) {
  return cloudEvent(type, data).extend({
    correlationid: orderGuid,
    causationid: z
      .string()
      .max(MAX_ID_LENGTH)
      .optional()
      .describe('Id of the message that this one answers or follows from; left out: it begins something.'),
  });
}

/** Schema of each message of a choreographed order. */
export const ORDER_EVENTS = {
  OrderCreated: choreographed('OrderCreated', DATA.OrderCreated),
  CancelOrder: choreographed('CancelOrder', DATA.CancelOrder),
  ReserveInventory: choreographed('ReserveInventory', DATA.ReserveInventory),
  InventoryReserved: choreographed('InventoryReserved', DATA.InventoryReserved),
  InventoryRejected: choreographed('InventoryRejected', DATA.InventoryRejected),
  ReleaseInventory: choreographed('ReleaseInventory', DATA.ReleaseInventory),
  InventoryReleased: choreographed('InventoryReleased', DATA.InventoryReleased),
  InventoryShipped: choreographed('InventoryShipped', DATA.InventoryShipped),
  ProcessPayment: choreographed('ProcessPayment', DATA.ProcessPayment),
  PaymentProcessed: choreographed('PaymentProcessed', DATA.PaymentProcessed),
  PaymentFailed: choreographed('PaymentFailed', DATA.PaymentFailed),
  RefundPayment: choreographed('RefundPayment', DATA.RefundPayment),
  PaymentRefunded: choreographed('PaymentRefunded', DATA.PaymentRefunded),
  ShipOrder: choreographed('ShipOrder', DATA.ShipOrder),
  OrderShipped: choreographed('OrderShipped', DATA.OrderShipped),
  ShipmentRejected: choreographed('ShipmentRejected', DATA.ShipmentRejected),
  CancelShipment: choreographed('CancelShipment', DATA.CancelShipment),
  ShipmentCancelled: choreographed('ShipmentCancelled', DATA.ShipmentCancelled),
  ShipmentKept: choreographed('ShipmentKept', DATA.ShipmentKept),
  ShipmentDelivered: choreographed('ShipmentDelivered', DATA.ShipmentDelivered),
  ShipmentLost: choreographed('ShipmentLost', DATA.ShipmentLost),
  ShipmentReturned: choreographed('ShipmentReturned', DATA.ShipmentReturned),
} as const;

/** Any of them, told apart by its type. */
export const orderEvent = z.discriminatedUnion('type', [
  ORDER_EVENTS.OrderCreated,
  ORDER_EVENTS.CancelOrder,
  ORDER_EVENTS.ReserveInventory,
  ORDER_EVENTS.InventoryReserved,
  ORDER_EVENTS.InventoryRejected,
  ORDER_EVENTS.ReleaseInventory,
  ORDER_EVENTS.InventoryReleased,
  ORDER_EVENTS.InventoryShipped,
  ORDER_EVENTS.ProcessPayment,
  ORDER_EVENTS.PaymentProcessed,
  ORDER_EVENTS.PaymentFailed,
  ORDER_EVENTS.RefundPayment,
  ORDER_EVENTS.PaymentRefunded,
  ORDER_EVENTS.ShipOrder,
  ORDER_EVENTS.OrderShipped,
  ORDER_EVENTS.ShipmentRejected,
  ORDER_EVENTS.CancelShipment,
  ORDER_EVENTS.ShipmentCancelled,
  ORDER_EVENTS.ShipmentKept,
  ORDER_EVENTS.ShipmentDelivered,
  ORDER_EVENTS.ShipmentLost,
  ORDER_EVENTS.ShipmentReturned,
]);
export type OrderEvent = z.output<typeof orderEvent>;
/** The message of one type. */
export type OrderEventOf<Type extends OrderMessageType> = Extract<OrderEvent, { type: Type }>;

/** Something to be said of an order: type and data. */
export type Said = { [Type in OrderMessageType]: Pick<OrderEventOf<Type>, 'type' | 'data'> }[OrderMessageType];

/** What a message is made of besides what it says. */
export interface Saying {
  readonly tenantId: string;
  readonly orderId: string;
  readonly source: OrderService;
  /** Id of the message that it answers; null: none. */
  readonly causationId: string | null;
  /** How often it has been asked; more than 1 only where it was asked again. */
  readonly times?: number;
  readonly at: Date;
}

/**
 * Id of a message, of business identity alone: said again, it is the same message. What was asked again has another,
 * and so has its answer.
 */
function orderMessageId(orderId: string, type: OrderMessageType, times = 1): string {
  return `${orderId}:${type}${times > 1 ? `:${times}` : ''}`;
}

/** How often it had been asked what a message says, by its id. */
export function timesAsked(messageId: string): number {
  const times = Number(messageId.split(':')[2] ?? '1');
  return Number.isInteger(times) && times > 1 ? times : 1;
}

/** The message that says it, by the topic of the service that it is asked of or said by. */
export function orderMessage(
  said: Said,
  { tenantId, orderId: id, source, causationId, times = 1, at }: Saying,
): BusMessage {
  const messageId = orderMessageId(id, said.type, times);
  const event = {
    specversion: '1.0',
    id: messageId,
    source,
    type: said.type,
    subject: id,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenantId,
    correlationid: id,
    ...(causationId === null ? {} : { causationid: causationId }),
    data: said.data,
  };
  return { tenantId, messageId, topic: ORDER_MESSAGES[said.type], key: id, payload: JSON.stringify(event) };
}
