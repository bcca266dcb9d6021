import type { Config } from '../config.ts';
import type { CleanupReport } from '../workflows/audits.messages.ts';
import { ALL_TENANTS, type Db } from './client.ts';

const BATCH_SIZE = 5_000;

/** Which rows of a table have had their time; `$1` is the retention in days, `$2` that of idempotency keys in hours. */
const EXPIRED: Readonly<Record<string, string>> = {
  inbox_messages: `processed_at < now() - make_interval(days => $1::int)`,
  // A message goes only when every reader of its log has passed it.
  outgoing_messages: unreadGuard('outgoing_messages', `reader = 'outgoing-relay'`),
  bus_messages: unreadGuard('bus_messages', `reader <> 'outgoing-relay'`),
  dead_letters: `status <> 'parked' AND resolved_at < now() - make_interval(days => $1::int)`,
  alerts: `status = 'resolved' AND resolved_at < now() - make_interval(days => $1::int)`,
  idempotency_keys: `created_at < now() - make_interval(hours => $2::int)`,
};

function unreadGuard(table: string, readers: string): string {
  return `created_at < now() - make_interval(days => $1::int) AND NOT EXISTS (
    SELECT FROM log_cursors c WHERE c.partition = ${table}.partition AND ${readers} AND (c.xid, c.position) < (${table}.xid, ${table}.position))`;
}

/** Where personal data of deleted users is left: in messages about them, but for the one that tells of the deletion. */
const TRACES_OF_DELETED: Readonly<Record<string, string>> = {
  outgoing_messages: `topic <> 'user.deleted' AND ${isOfDeletedUser('outgoing_messages')}`,
  bus_messages: `topic <> 'user.deleted' AND ${isOfDeletedUser('bus_messages')}`,
  dead_letters: isOfDeletedUser('dead_letters'),
};

function isOfDeletedUser(table: string): string {
  return `EXISTS (SELECT FROM users u WHERE u.tenant_id = ${table}.tenant_id AND u.id::text = ${table}.key AND u.deleted_at IS NOT NULL)`;
}

/** Removes what is kept for a time only, and what deleted users left, in batches; answers the number of rows by table. */
export async function removeExpired(db: Db, config: Config, onProgress: () => void): Promise<CleanupReport> {
  const report: Record<string, number> = {};
  for (const [table, condition] of [...Object.entries(EXPIRED), ...Object.entries(TRACES_OF_DELETED)]) {
    let removed: number;
    do {
      removed = await db.inTenant(ALL_TENANTS, (tx) => tx.$executeRawUnsafe(
        `WITH settings AS (SELECT $1::int, $2::int)
         DELETE FROM ${table} WHERE ctid IN (SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH_SIZE})`,
        config.RETENTION_DAYS, config.IDEMPOTENCY_KEY_HOURS,
      ));
      report[table] = (report[table] ?? 0) + removed;
      onProgress();
    } while (removed === BATCH_SIZE);
  }
  return report;
}
