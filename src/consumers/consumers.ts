import type { Config } from '../config/config.ts';
import { shippingAddressOf, wasDeliveredEarly } from '../db/orders/choreography.ts';
import type { OrderPorts } from '../gateways/default-ports.ts';
import type { SubscribeOptions } from '../messaging/bus.ts';
import type { Db } from '../postgres/client.ts';
import { inventoryService } from './orders/inventory.ts';
import { orderService, type OrderServiceDeps } from './orders/order.ts';
import { paymentService } from './orders/payment.ts';
import { shippingService } from './orders/shipping.ts';
import { syncConfirmations } from './user-sync/sync-confirmations.ts';

/** What consumers are built from. */
export interface ConsumerDeps extends OrderPorts {
  readonly db: Db;
  readonly config: Pick<Config, 'SYNC_SERVICES'> & OrderServiceDeps['config'];
}

/** Everybody of ours who listens on the bus; what one parks can be replayed. */
export function createConsumers({ db, config, payments, shipping }: ConsumerDeps): readonly SubscribeOptions[] {
  return [
    syncConfirmations({ db, config }),
    orderService({ db, config }),
    inventoryService({ db }),
    paymentService({ db, payments }),
    shippingService({ db, shipping, order: { shippingAddressOf, wasDeliveredEarly } }),
  ];
}
