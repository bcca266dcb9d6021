import { releaseStock, reserveStock } from '../../activities/orders/reserve-stock.ts';
import { takeOut } from '../../activities/orders/create-shipment.ts';
import type { SubscribeOptions } from '../../messaging/bus.ts';
import type { Db } from '../../postgres/client.ts';
import { orderConsumer } from './order-consumer.ts';

/** The service `inventory`: holds pieces for orders, and takes them out of the stock once they are shipped. */
export function inventoryService({ db }: { readonly db: Pick<Db, 'pool'> }): SubscribeOptions {
  return orderConsumer({
    db,
    service: 'inventory',
    topics: ['inventory', 'shipping'],
    react: async ({ tenantId, orderId, event }) => {
      const works = [{ tenantId, processId: orderId, data: {}, attempts: 0 }];
      switch (event.type) {
        case 'ReserveInventory':
          return async (client) => {
            const [result] = await reserveStock(client, works, linesOf(event.data));
            if (result?.isDone === true) return [{ type: 'InventoryReserved', data: { orderId } }];
            if (result === undefined) throw new Error('stock was neither reserved nor refused');
            return [{ type: 'InventoryRejected', data: { orderId, code: result.code, message: result.message } }];
          };
        case 'ReleaseInventory':
          return async (client) => {
            const [result] = await releaseStock(client, works, linesOf(event.data));
            // It is asked for nothing that was shipped: whoever does it all the same finds it among the dead letters.
            if (result?.isDone !== true) throw new Error('stock can not be released that was shipped');
            return [{ type: 'InventoryReleased', data: { orderId } }];
          };
        case 'OrderShipped':
          return async (client) => {
            await takeOut(client, { tenantId, orderIds: [orderId], lines: linesOf(event.data) });
            return [{ type: 'InventoryShipped', data: { orderId, shipmentId: event.data.shipmentId } }];
          };
        default:
          return null;
      }
    },
  });
}

function linesOf({
  orderId,
  items,
}: {
  readonly orderId: string;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
}) {
  return items.map((item) => ({ orderId, ...item }));
}
