import { Client, Connection } from '@temporalio/client';
import { listAlerts } from '../../src/db/alerts/alert-commands.ts';
import { deadLetterDepth } from '../../src/alerts/checks/dead-letter-depth.ts';
import { relayStalled } from '../../src/alerts/checks/relay-stalled.ts';
import { loadConfig } from '../../src/config/config.ts';
import { overdueNotifications } from '../../src/db/notifications/notifications.ts';
import { listUserNotifications } from '../../src/db/notifications/user-notifications.ts';
import { listOrders } from '../../src/db/orders/order-list.ts';
import { listProducts } from '../../src/db/orders/products.ts';
import { listProcesses } from '../../src/db/processes/process-list.ts';
import { FIRST_UNMOVED, unmovedProcesses } from '../../src/db/processes/process-watch.ts';
import { countByCompletion, countBySync } from '../../src/db/users/user-counts.ts';
import { listUsers, type UserListQuery } from '../../src/db/users/user-list.ts';
import { ORDER_STATUSES } from '../../src/domain/orders/order-status.ts';
import { PROCESS_STATUSES } from '../../src/domain/process/statuses.ts';
import { readGauges } from '../../src/maintenance/metrics/gauges.ts';
import { listDeadLetters, type DeadLetterFilter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { ALL_TENANTS } from '../../src/postgres/tenants.ts';
import type { ProcessFilter } from '../../src/workflows/bulk/bulk-command.messages.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { idOf, LARGE_TENANT as tenantId } from './large-tenant.ts';

const config = loadConfig({});
/** Never asked: what these checks look at is in the database. */
const client = new Client({ connection: Connection.lazy() });
const limit = 10;
const at = new Date(Date.UTC(2026, 0, 10));
const AFTER = [undefined, { createdAt: at, id: idOf(1) }] as const;

const named = (what: string, filter: object, after: object | undefined): string =>
  `list ${what} ${JSON.stringify(filter)}${after === undefined ? '' : ', next page'}`;

const USER_FILTERS: readonly Partial<UserListQuery>[] = [
  {},
  { status: 'suspended' },
  { profileCompletionStatus: 'completed' },
  { profileCompletionStatus: 'expired' },
  { syncStatus: 'failed' },
  { syncStatus: 'retry' },
  { status: 'suspended', syncStatus: 'failed' },
  { status: 'active', profileCompletionStatus: 'completed', syncStatus: 'synced' },
  { emailPrefix: 'user-2' },
  { emailPrefix: 'user-29999@' },
  { emailPrefix: 'nobody' },
  { emailPrefix: 'user', status: 'suspended' },
  { emailPrefix: 'user', syncStatus: 'failed' },
];
const PROCESS_FILTERS: readonly ProcessFilter[] = [
  {},
  ...PROCESS_STATUSES.map((status) => ({ status })),
  { type: 'order' },
  { type: 'refund' },
  { step: 'process_payment' },
  { step: 'nowhere' },
  { status: 'running', step: 'process_payment' },
  { type: 'order', status: 'step_failed', step: 'await_delivery' },
];
const DEAD_LETTER_FILTERS: readonly DeadLetterFilter[] = [
  {},
  { status: 'parked' },
  { status: 'discarded' },
  { source: 'rare' },
  { type: 'rare' },
  { cause: 'rare' },
  { source: 'group-0', status: 'discarded' },
  { source: 'rare', type: 'rare', cause: 'rare', status: 'discarded' },
  { ids: [idOf(1)] },
];
const ALERT_FILTERS = [
  {},
  { status: 'acknowledged' },
  { status: 'resolved' },
  { kind: 'rare' },
  { kind: 'stuck_process', status: 'acknowledged' },
] as const;

/** Every list with every filter, at its begin and further on, and what is counted. */
export const LIST_CASES: readonly FlatCase[] = [
  ...AFTER.flatMap((after) => [
    ...USER_FILTERS.map((filter) =>
      flatCase(named('users', filter, after), limit, (db) =>
        db.inTenant(tenantId, (tx) => listUsers(tx, { tenantId, limit, after, ...filter })),
      ),
    ),
    ...[null, ...ORDER_STATUSES].map((status) =>
      flatCase(named('orders', { status }, after), limit * 4, (db) =>
        listOrders(db.pool, { tenantId, status, customerId: null, after: after ?? null, limit }),
      ),
    ),
    flatCase(named('orders', { customerId: 1 }, after), limit, (db) =>
      listOrders(db.pool, { tenantId, status: 'completed', customerId: 'customer-2', after: after ?? null, limit }),
    ),
    ...PROCESS_FILTERS.map((filter) =>
      flatCase(named('processes', filter, after), limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          listProcesses(tx, { tenantId, filter, limit, after: after && { startedAt: at, processId: after.id } }),
        ),
      ),
    ),
    ...DEAD_LETTER_FILTERS.map((filter) =>
      flatCase(named('dead letters', filter, after), limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          listDeadLetters(tx, {
            tenantId,
            limit,
            ...filter,
            ...(after === undefined ? {} : { cursor: { parkedAt: at, id: after.id } }),
          }),
        ),
      ),
    ),
    ...ALERT_FILTERS.map((filter) =>
      flatCase(named('alerts', filter, after), limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          listAlerts(tx, {
            tenantId,
            limit,
            ...filter,
            ...(after === undefined ? {} : { after: { firstSeenAt: at, id: after.id } }),
          }),
        ),
      ),
    ),
    ...[true, false].map((toUserOnly) =>
      flatCase(named('notifications', { toUserOnly }, after), limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          listUserNotifications(tx, {
            tenantId,
            userId: idOf(1),
            toUserOnly,
            limit,
            after: after && { at, id: after.id },
          }),
        ),
      ),
    ),
  ]),
  ...[null, 'SKU-2'].flatMap((after) =>
    [null, true, false].map((isActive) =>
      flatCase(named('products', { isActive }, after === null ? undefined : {}), limit, (db) =>
        listProducts(db.pool, { tenantId, isActive, after, limit }),
      ),
    ),
  ),
  flatCase('count users by profile', 5, (db) => db.inTenant(tenantId, (tx) => countByCompletion(tx, tenantId))),
  flatCase('count users by synchronisation', 5, (db) => db.inTenant(tenantId, (tx) => countBySync(tx, tenantId))),
  flatCase('read the gauges', 100, readGauges),
  flatCase('check relay_stalled', 10, (db) => relayStalled.run({ db, config, client })),
  // Each of the thousand tenants has something to say here.
  flatCase('check dead_letter_depth', 1_000, (db) => deadLetterDepth.run({ db, config, client })),
  flatCase('find notifications that are overdue', 10, (db) =>
    db.inTenant(ALL_TENANTS, (tx) => overdueNotifications(tx, 60_000)),
  ),
  flatCase('look for processes that have not moved', 100, (db) =>
    unmovedProcesses(db.pool, { cursor: FIRST_UNMOVED, stuckAfterMs: 60_000, limit: 100 }),
  ),
];
