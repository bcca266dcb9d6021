import type pg from 'pg';
import { createShipment, recordShipments } from '../../activities/orders/create-shipment.ts';
import type { Address } from '../../domain/orders/address.ts';
import type { Said } from '../../events/order-messages.ts';
import type { Bindings } from '../../gateways/provider.ts';
import type { ShippingAnswer, ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import type { SubscribeOptions } from '../../messaging/bus.ts';
import type { Db } from '../../postgres/client.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { callProvider } from './call-provider.ts';
import { orderConsumer } from './order-consumer.ts';

/** What `shipping` asks `order` when it acts; no message holds it. */
export interface AskOrder {
  /** Where an order goes; null: its user was deleted. */
  shippingAddressOf(client: pg.ClientBase, of: { tenantId: string; orderId: string }): Promise<Address | null>;
  /** Whether its delivery was told before there was a shipment; that is written to the shipment then. */
  wasDeliveredEarly(client: pg.ClientBase, of: { tenantId: string; orderId: string }): Promise<boolean>;
}

/** What the service `shipping` is built from. */
export interface ShippingServiceDeps {
  readonly db: Pick<Db, 'pool'>;
  readonly shipping: Bindings<ShippingPort>;
  readonly order: AskOrder;
}

/** The service `shipping`: has orders shipped, and stops that as long as it can. */
export function shippingService({ db, shipping, order }: ShippingServiceDeps): SubscribeOptions {
  return orderConsumer({
    db,
    service: 'shipping',
    topics: ['shipping'],
    react: async ({ tenantId, orderId, event }) => {
      const works = (provider: object) => [{ tenantId, processId: orderId, data: { shipping: provider }, attempts: 0 }];
      switch (event.type) {
        case 'ShipOrder': {
          const { provider, items } = event.data;
          const shipTo = await rawTransaction(db.pool, tenantId, (client) =>
            order.shippingAddressOf(client, { tenantId, orderId }),
          );
          const toShip = [{ orderId, shipTo, status: 'reserved', isTried: provider.isRemote }] as const;
          const accepted = await callProvider({ bindings: shipping, provider, tenantId }, (port, call) =>
            createShipment.call(port, call, toShip),
          );
          return async (client) => {
            const answers = await accepted(client);
            const [answer] = answers;
            if (answer === undefined || answer === null) throw new Error('a shipment was neither accepted nor refused');
            await recordShipments(client, works(provider), answers);
            if (!answer.isDone)
              return [{ type: 'ShipmentRejected', data: { orderId, code: answer.code, message: answer.message } }];
            const shipped: Said = {
              type: 'OrderShipped',
              data: { orderId, shipmentId: answer.shipment.shipmentId, items },
            };
            return (await order.wasDeliveredEarly(client, { tenantId, orderId }))
              ? [shipped, { type: 'ShipmentDelivered', data: { orderId } }]
              : [shipped];
          };
        }
        case 'CancelShipment': {
          const { provider } = event.data;
          const stopped = await callProvider({ bindings: shipping, provider, tenantId }, (port, call) =>
            stop(port, { ...call, orderId }),
          );
          return async (client) => {
            const answer = await stopped(client);
            if (answer === null) return [{ type: 'ShipmentKept', data: { orderId } }];
            await recordShipments(client, works(provider), [answer]);
            return [{ type: 'ShipmentCancelled', data: { orderId } }];
          };
        }
        default:
          return null;
      }
    },
  });
}

/** Has a shipment never accepted, unless it was: then null, and it is left as it is. */
async function stop(
  port: ShippingPort,
  { orderId, ...call }: { tenantId: string; signal?: AbortSignal; orderId: string },
): Promise<ShippingAnswer | null> {
  const known = (await port.find({ ...call, orderIds: [orderId] })).get(orderId);
  if (known !== undefined && known.status !== 'cancelled') return null;
  const [answer] = await port.cancel({ ...call, orderIds: [orderId] });
  if (answer === undefined) throw new Error('a shipment was neither cancelled nor kept');
  return answer.isDone ? answer : null;
}
