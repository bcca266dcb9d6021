import { alertRoutes } from './alerts.ts';
import { bulkRoutes } from './bulk.ts';
import { deadLetterCommandRoutes } from './dead-letter-commands.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { maintenanceRoutes } from './maintenance.ts';
import { notificationRoutes } from './notifications.ts';
import { orderCommandRoutes } from './order-commands.ts';
import { orderEventRoutes } from './order-events.ts';
import { orderRoutes } from './orders.ts';
import { processBulkRoutes } from './process-bulk.ts';
import { processCommandRoutes } from './process-commands.ts';
import { processRoutes } from './processes.ts';
import { productRoutes } from './products.ts';
import { profileStateRoutes } from './profile-states.ts';
import { refundRoutes } from './refunds.ts';
import type { Route } from './route.ts';
import { statisticsRoutes } from './statistics.ts';
import { syncStateRoutes } from './sync-states.ts';
import { userRoutes } from './users.ts';

/** Every declared route, in the order in which Express tries them: fixed addresses before those with ids. */
export const ROUTES: readonly Route[] = [
  ...statisticsRoutes,
  ...bulkRoutes,
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
  ...productRoutes,
  ...processBulkRoutes,
  ...processCommandRoutes,
  ...processRoutes,
];
