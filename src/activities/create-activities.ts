import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import type { Db, SystemDb } from '../postgres/client.ts';
import type { OrderPorts } from '../gateways/default-ports.ts';
import type { NotificationGateways } from '../notifications/channels.ts';
import type { SubjectHash } from '../domain/users/subject-hash.ts';
import { processType as registeredType } from '../domain/process/registry.ts';
import { createAuditActivities } from './audits/audits.ts';
import { createBulkActivities } from './bulk/users.ts';
import { createNotificationActivities, type NotificationDeps } from './notifications/deliver-notifications.ts';
import { createOrderActivities } from './orders/order-activities.ts';
import { createSettlementActivities } from './orders/settlement-activities.ts';
import { createRefundActivities } from './orders/refund-activities.ts';
import { createProcessActivities } from './process/process.ts';
import type { StepDeps } from './process/step.ts';
import { createProfileActivities } from './profile/profile.ts';
import { createSlipActivities } from './routing-slips/slip-functions.ts';
import { createUserSyncActivities } from './user-sync/user-sync.ts';

/** What activities leave the process by. */
export interface ActivityGateways extends NotificationGateways, OrderPorts {}

/** What the activities of all domains need. */
export interface ActivityDeps {
  readonly db: Db;
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
  readonly gateways: ActivityGateways;
  readonly subjectHash: SubjectHash;
  /** Definitions of processes other than the product's. */
  readonly processType?: StepDeps['processType'];
  /** Told of what became of each notification, for the metrics. */
  readonly observe?: NotificationDeps['observe'];
}

/** The activities of every domain, under the names by which workflows call them. */
export function createActivities({
  db,
  system,
  client,
  config,
  gateways,
  subjectHash,
  processType = registeredType,
  observe,
}: ActivityDeps) {
  const { payments, shipping, mail, sms } = gateways;
  return {
    ...createProfileActivities({ db, config }),
    ...createUserSyncActivities({ db, config }),
    ...createNotificationActivities({ db, config, mail, sms, ...(observe === undefined ? {} : { observe }) }),
    ...createProcessActivities({ db, config }),
    ...createOrderActivities({ db, config, processType, payments, shipping }),
    ...createRefundActivities({ db, processType, payments }),
    ...createSettlementActivities({ db, processType, payments, shipping }),
    ...createSlipActivities({ db, processType, config, mail, subjectHash }),
    ...createAuditActivities({ db, system, client, config }),
    ...createBulkActivities({ db, client, config }),
  };
}
