import { alertRoutes } from './operations/alerts.ts';
import { bulkRoutes } from './operations/bulk.ts';
import { deadLetterCommandRoutes } from './operations/dead-letter-commands.ts';
import { deadLetterRoutes } from './operations/dead-letters.ts';
import { maintenanceRoutes } from './operations/maintenance.ts';
import { operationRoutes } from './operations/operations.ts';
import { notificationRoutes } from './users/notifications.ts';
import { orderCommandRoutes } from './orders/order-commands.ts';
import { orderEventRoutes } from './orders/order-events.ts';
import { orderRoutes } from './orders/orders.ts';
import { processBulkRoutes } from './processes/process-bulk.ts';
import { processCommandRoutes } from './processes/process-commands.ts';
import { processRoutes } from './processes/processes.ts';
import { productRoutes } from './orders/products.ts';
import { profileStateRoutes } from './profile/profile-states.ts';
import { refundRoutes } from './orders/refunds.ts';
import type { Route } from './http/route.ts';
import { routingSlipRoutes } from './routing-slips/routing-slips.ts';
import { settlementRoutes } from './orders/settlements.ts';
import { statisticsRoutes } from './users/statistics.ts';
import { syncStateRoutes } from './user-sync/sync-states.ts';
import { userRoutes } from './users/users.ts';

/** Every declared route, in the order in which Express tries them: fixed addresses before those with ids. */
export const ROUTES: readonly Route[] = [
  ...statisticsRoutes,
  ...bulkRoutes,
  ...operationRoutes,
  ...profileStateRoutes,
  ...syncStateRoutes,
  ...userRoutes,
  ...notificationRoutes,
  ...deadLetterCommandRoutes,
  ...deadLetterRoutes,
  ...alertRoutes,
  ...maintenanceRoutes,
  ...orderRoutes,
  ...orderCommandRoutes,
  ...orderEventRoutes,
  ...refundRoutes,
  ...settlementRoutes,
  ...productRoutes,
  ...routingSlipRoutes,
  ...processBulkRoutes,
  ...processCommandRoutes,
  ...processRoutes,
];
