import { Client, Connection } from '@temporalio/client';
import { deadLetterDepth } from '../../src/alerts/checks/dead-letter-depth.ts';
import { relayStalled } from '../../src/alerts/checks/relay-stalled.ts';
import { syncFailureRate } from '../../src/alerts/checks/sync-failure-rate.ts';
import { loadConfig } from '../../src/config/config.ts';
import { dueAlerts } from '../../src/db/alerts/alert-deliveries.ts';
import { clearUnsighted } from '../../src/db/alerts/raise-alert.ts';
import { overdueNotifications } from '../../src/db/notifications/notifications.ts';
import { countOpenProcesses, nextOpenProcesses } from '../../src/db/processes/bulk-processes.ts';
import { closedAmong, FIRST_UNMOVED, unmovedProcesses } from '../../src/db/processes/process-watch.ts';
import { auditedUsers } from '../../src/db/users/audited-users.ts';
import { countUsers, nextUsers } from '../../src/db/users/bulk-users.ts';
import { readGauges } from '../../src/maintenance/metrics/gauges.ts';
import { removeWhere, type Removal } from '../../src/maintenance/retention/delete-in-batches.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { eraseProcesses } from '../../src/maintenance/retention/erase-processes.ts';
import { eraseUsers } from '../../src/maintenance/retention/erase-users.ts';
import { EXPIRED_ROWS } from '../../src/maintenance/retention/retention.ts';
import { alertedWorkflows } from '../../src/maintenance/watchdog/watch-workflow.ts';
import { discardDeadLetters, listDeadLetters } from '../../src/messaging/dead-letters/dead-letters.ts';
import type { ProcessFilter, UserFilter } from '../../src/workflows/bulk/bulk-command.messages.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { idOf, LARGE, LARGE_TENANT as tenantId } from './large-tenant.ts';
import { temporalAddress } from './services.ts';

const config = loadConfig({});
/** Asked by the clean-up alone: what the checks look at is in the database. */
const client = new Client({ connection: Connection.lazy({ address: temporalAddress() }) });
const limit = 10;
const PLACE = `${Date.UTC(2026, 0, 10)}_${idOf(1)}`;
const IDS = [1, 2, 3].map(idOf);
const BY = { by: 'test', reason: 'test' };
const LONG_AGO = new Date(Date.UTC(2026, 5, 1)).toISOString();

const USERS: readonly UserFilter[] = [
  { status: 'suspended' },
  { profileCompletionStatus: 'expired' },
  { syncStatus: 'failed' },
  { status: 'active', syncStatus: 'synced' },
  { userIds: IDS },
  { userIds: IDS, status: 'suspended' },
];
const PROCESSES: readonly ProcessFilter[] = [
  { status: 'running' },
  { status: 'waiting' },
  { type: 'order' },
  { step: 'process_payment' },
  { updatedBefore: LONG_AGO },
  { status: 'step_failed', type: 'order', step: 'await_delivery', updatedBefore: LONG_AGO },
  { processIds: IDS },
  { processIds: IDS, status: 'running', updatedBefore: LONG_AGO },
];

/** What is done to many, looked for in all tenants, counted and cleaned. */
export const LIST_CASES: readonly FlatCase[] = [
  ...[null, PLACE].flatMap((after) => [
    ...USERS.map((filter) =>
      flatCase(`next users of ${JSON.stringify(filter)} ${after}`, limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          nextUsers(tx, { tenantId, filter, after: filter.userIds ? after && idOf(1) : after, limit }),
        ),
      ),
    ),
    ...PROCESSES.map((filter) =>
      flatCase(`next processes of ${JSON.stringify(filter)} ${after}`, limit, (db) =>
        db.inTenant(tenantId, (tx) =>
          nextOpenProcesses(tx, { tenantId, filter, after: filter.processIds ? after && idOf(1) : after, limit }),
        ),
      ),
    ),
  ]),
  ...USERS.map((filter) =>
    flatCase(`count users of ${JSON.stringify(filter)}`, limit, (db) =>
      db.inTenant(tenantId, (tx) => countUsers(tx, { tenantId, filter })),
    ),
  ),
  // Counted one by one.
  ...PROCESSES.map((filter) =>
    flatCase(`count processes of ${JSON.stringify(filter)}`, countedOf(filter), (db) =>
      db.inTenant(tenantId, (tx) => countOpenProcesses(tx, { tenantId, filter })),
    ),
  ),
  ...[{ ids: IDS }, { source: 'rare' }, { cause: 'rare', olderThanMs: 1 }].flatMap((filter) => [
    flatCase(`find dead letters to replay ${JSON.stringify(filter)}`, limit, (db) =>
      db.inTenant(tenantId, (tx) =>
        listDeadLetters(tx, { tenantId, ...filter, status: 'parked', limit, order: 'asc' }),
      ),
    ),
    flatCase(`discard dead letters ${JSON.stringify(filter)}`, limit, (db) =>
      db.inTenant(tenantId, (tx) => discardDeadLetters(tx, { tenantId, ...filter }, BY)),
    ),
  ]),
  flatCase('read the gauges', 100, (_db, system) => readGauges(system)),
  flatCase('check relay_stalled', 10, (_db, system) => relayStalled.run({ system, config, client })),
  flatCase('check sync_failure_rate', 10, (_db, system) => syncFailureRate.run({ system, config, client })),
  // Each of the thousand tenants has something to say here.
  flatCase('check dead_letter_depth', 1_000, (_db, system) => deadLetterDepth.run({ system, config, client })),
  flatCase('find alerts to be told of', 10, (_db, system) => dueAlerts(system, 10)),
  flatCase('clear what a check did not see', 10, (_db, system) =>
    system.acrossTenants((tx) => clearUnsighted(tx, 'no_worker', [])),
  ),
  flatCase('find workflows that an alert tells of', 10, (_db, system) => alertedWorkflows({ system }, 'profile:')),
  flatCase('find notifications that are overdue', 10, (_db, system) =>
    system.acrossTenants((tx) => overdueNotifications(tx, 60_000)),
  ),
  flatCase('look for processes that have not moved', 100, (_db, system) =>
    unmovedProcesses(system.pool, { cursor: FIRST_UNMOVED, stuckAfterMs: 60_000, limit: 100 }),
  ),
  flatCase('look which processes of executions are over', IDS.length, (_db, system) =>
    closedAmong(system.pool, { processIds: IDS, workflowIds: IDS.map((id) => `order:${id}`) }),
  ),
  ...[null, idOf(9)].map((after) =>
    flatCase(`read a page of users to audit ${after}`, limit, (_db, system) =>
      system.acrossTenants((tx) => auditedUsers(tx, { where: { deletedAt: null }, after, limit })),
    ),
  ),
  // Everything there is is younger.
  ...Object.entries(EXPIRED_ROWS).map(([table, condition]) =>
    flatCase(`look for expired ${table}`, limit, (_db, system) =>
      removeWhere(removalOf(system), table, condition, [24 * 3_650]),
    ),
  ),
  flatCase('erase the traces of deleted users', 400, (_db, system) => eraseUsers(removalOf(system), attempt)),
  flatCase("erase what was typed about deleted users' orders", 250, (_db, system) =>
    eraseProcesses(removalOf(system), attempt),
  ),
];

async function attempt(_table: string, work: () => Promise<void>): Promise<boolean> {
  await work();
  return true;
}

function removalOf({ pool }: SystemDb): Removal {
  return { pool, client, config: { ...config, RETENTION_DAYS: 3_650 }, count: () => undefined };
}

/** Those that wait are a third of the tenant; those that run are what other cases left, too. */
function countedOf({ status, type, updatedBefore }: ProcessFilter): number {
  const isMany = status === 'waiting' || (type !== undefined && updatedBefore === undefined);
  return isMany ? LARGE / 25 : 12 * limit;
}
