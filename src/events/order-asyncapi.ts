import { z } from 'zod';
import {
  ORDER_MESSAGES,
  ORDER_SERVICES,
  type OrderMessageType,
  type OrderService,
} from '../domain/orders/choreographed-order.ts';
import { bindingsOf, messageOf } from './channel-bindings.ts';
import { ORDER_EVENTS } from './order-messages.ts';

/** What each message of a choreographed order says. */
const SUMMARIES: Readonly<Record<OrderMessageType, string>> = {
  OrderCreated: 'An order was placed; `order` validates it.',
  CancelOrder: 'Somebody wants the order cancelled; who and why, `order` has in its rows.',
  ReserveInventory: 'Asks for all pieces to be held, or none.',
  InventoryReserved: 'All pieces are held.',
  InventoryRejected: 'No piece is held, and why.',
  ReleaseInventory: 'Asks for the pieces to be given back; what was never held can not be any more.',
  InventoryReleased: 'No piece is held any more.',
  InventoryShipped: 'The pieces of a shipped order are out of the stock.',
  ProcessPayment: 'Asks for the payment to be taken.',
  PaymentProcessed: 'The payment is taken.',
  PaymentFailed: 'No payment is taken, and why.',
  RefundPayment: 'Asks for the payment to be given back; what was never taken can not be any more.',
  PaymentRefunded: 'Nothing of the payment is kept.',
  ShipOrder: 'Asks for the order to be shipped; `shipping` asks `order` where it goes.',
  OrderShipped: 'The warehouse has accepted the order; `inventory` takes its pieces out of the stock.',
  ShipmentRejected: 'The warehouse does not accept the order, and why.',
  CancelShipment: 'Asks that the order is not shipped, if it is not yet.',
  ShipmentCancelled: 'The order is not shipped, and can not be any more.',
  ShipmentKept: 'The order was shipped before, and stays so.',
  ShipmentDelivered: 'The order has reached its customer.',
  ShipmentLost: 'The shipment will not arrive.',
  ShipmentReturned: 'The shipment came back.',
};

const ABOUT: Readonly<Record<OrderService, { readonly groups: readonly OrderService[]; readonly summary: string }>> = {
  order: { groups: ['order'], summary: 'What `order` is told of orders that services carry.' },
  inventory: { groups: ['inventory', 'order'], summary: 'What `inventory` is asked, and what it says.' },
  payment: { groups: ['payment', 'order'], summary: 'What `payment` is asked, and what it says.' },
  shipping: { groups: ['shipping', 'inventory', 'order'], summary: 'What `shipping` is asked, and what it says.' },
};

const TYPES = z.enum(Object.keys(ORDER_MESSAGES)).options;

/** The channel of each service's topic, with the several messages that it carries. */
export const ORDER_CHANNELS = Object.fromEntries(ORDER_SERVICES.map((topic) => [topic, channelOf(topic)]));

/** That we publish them; whoever else wants to know listens in a group of its own. */
export const ORDER_OPERATIONS = Object.fromEntries(
  ORDER_SERVICES.map((topic) => [`converse${topic.charAt(0).toUpperCase()}${topic.slice(1)}`, operationOf(topic)]),
);

/** The messages, by their types. */
export const ORDER_COMPONENTS = Object.fromEntries(
  Object.entries(ORDER_EVENTS).map(([type, schema]) => {
    const summary = Object.entries(SUMMARIES).find(([name]) => name === type)?.[1] ?? type;
    return [type, messageOf(type, { schema, summary, key: 'data.orderId', of: 'order' })];
  }),
);

function typesOf(topic: OrderService): readonly string[] {
  return TYPES.filter((type) => Object.entries(ORDER_MESSAGES).some(([name, by]) => name === type && by === topic));
}

function channelOf(topic: OrderService) {
  return {
    address: topic,
    title: topic,
    description: ABOUT[topic].summary,
    messages: Object.fromEntries(typesOf(topic).map((type) => [type, { $ref: `#/components/messages/${type}` }])),
    ...bindingsOf(topic),
  };
}

function operationOf(topic: OrderService) {
  const { groups, summary } = ABOUT[topic];
  return {
    action: 'send',
    summary,
    channel: { $ref: `#/channels/${topic}` },
    messages: typesOf(topic).map((type) => ({ $ref: `#/channels/${topic}/messages/${type}` })),
    'x-sender': 'Steadfast',
    'x-receiver': `Steadfast (groups ${groups.join(', ')}), and whoever else listens`,
  };
}
