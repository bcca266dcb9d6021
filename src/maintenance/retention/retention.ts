import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { CleanupReport } from '../../workflows/audits/audits.messages.ts';
import { pruneCursors } from './prune-cursors.ts';
import type { SystemDb } from '../../postgres/client.ts';
import { eraseProcesses } from './erase-processes.ts';
import { eraseUsers } from './erase-users.ts';
import { LOGS } from '../../db/logs.ts';
import { pruneMessages } from './prune-messages.ts';
import { removeWhere, type Removal } from './delete-in-batches.ts';
import type { Attempt } from './erasure.ts';
import { EXECUTIONS, removeFormerBulks } from './remove-executions.ts';

/**
 * By table, the condition under which a row may be deleted; `$1` is how long its rows are kept, in hours. A new table
 * that is kept for a time adds its line.
 */
export const EXPIRED_ROWS: Readonly<Record<string, string>> = {
  inbox_messages: `processed_at < now() - make_interval(hours => $1::int)`,
  dead_letters: `status <> 'parked' AND resolved_at < now() - make_interval(hours => $1::int)`,
  alerts: `status = 'resolved' AND resolved_at < now() - make_interval(hours => $1::int)`,
  idempotency_keys: `created_at < now() - make_interval(hours => $1::int)`,
  former_users: `greatest(deleted_at, profile_deadline) < now() - make_interval(hours => $1::int)`,
  // What its process needs no more; the timeline stays. One that was abandoned may be reopened.
  routing_slips: `created_at < now() - make_interval(hours => $1::int) AND EXISTS (
    SELECT FROM process_states AS p
    WHERE p.tenant_id = routing_slips.tenant_id AND p.process_id = routing_slips.process_id
      AND p.status IN ('completed', 'compensated', 'cancelled')
      AND p.updated_at < now() - make_interval(hours => $1::int))`,
  // A notification with a parked dead letter is kept: a replay sends it again.
  notifications: `status <> 'pending' AND created_at < now() - make_interval(hours => $1::int) AND NOT EXISTS (
    SELECT FROM dead_letters d
    WHERE d.tenant_id = notifications.tenant_id AND d.source = 'notification' AND d.message_id = notifications.id::text
      AND d.status = 'parked')`,
};

/** What a clean-up is done with. */
export interface RetentionDeps {
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
}

/**
 * Deletes expired rows and the data of deleted users, in batches; answers the number of rows by table, and of
 * Temporal's executions. When one table fails the others are still cleaned, and the error at the end names each that
 * failed. What it was about is found again by the next clean-up, wherever this one ends.
 */
export async function removeExpired(
  { system, client, config }: RetentionDeps,
  onProgress: () => void,
): Promise<CleanupReport> {
  const report: Record<string, number> = {};
  const failures = new Map<string, unknown>();
  const removal: Removal = {
    pool: system.pool,
    client,
    config,
    count: (table, removed) => {
      report[table] = (report[table] ?? 0) + removed;
      onProgress();
    },
  };
  const attempt: Attempt = async (table, work) => {
    try {
      await work();
      return true;
    } catch (error) {
      failures.set(table, error);
      onProgress();
      return false;
    }
  };
  await attempt('log_cursors', () => pruneCursors(removal, LOGS)); // first: they keep messages
  for (const log of LOGS) {
    removal.count(log.table, 0);
    await attempt(log.table, () => pruneMessages(removal, log));
  }
  for (const [table, condition] of Object.entries(EXPIRED_ROWS)) {
    const hours = table === 'idempotency_keys' ? config.IDEMPOTENCY_KEY_HOURS : config.RETENTION_DAYS * 24;
    await attempt(table, () => removeWhere(removal, table, condition, [hours]));
  }
  // A process that died left its leases behind, and nobody may ask for them again.
  await attempt('leases', () => removeWhere(removal, 'leases', `expires_at < now() - interval '1 day'`, []));
  await attempt('users', () => eraseUsers(removal, attempt));
  await attempt('pending_erasures', () => eraseProcesses(removal, attempt));
  await attempt(EXECUTIONS, () => removeFormerBulks(removal));
  if (failures.size > 0) throw failureOf(failures, report);
  return report;
}

function failureOf(failures: ReadonlyMap<string, unknown>, report: CleanupReport): AggregateError {
  const reasons = [...failures].map(
    ([table, error]) => `${table} (${error instanceof Error ? error.message : String(error)})`,
  );
  return new AggregateError(
    [...failures.values()],
    `the clean-up failed for ${reasons.join(', ')}; removed: ${JSON.stringify(report)}`,
  );
}
