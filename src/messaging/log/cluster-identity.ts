import type pg from 'pg';
import { ConfigError } from '../../config/setting.ts';
import type { SystemDb } from '../../postgres/client.ts';
import { LOGS_ARE_OWN } from './log.ts';

// A copy of rows may lack the row of the other cluster. Then a cursor ahead of every transaction id of this cluster
// gives it away, until the ids have caught up.
const CURSORS_ARE_AHEAD =
  'SELECT EXISTS (SELECT FROM log_cursors WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))';

/**
 * Whether the logs hold transaction ids of another cluster: a dump was restored here, and the readers were not
 * restarted. The ids of this cluster say little about theirs, so new rows may sort in front of what was read and be
 * skipped for good.
 */
export async function isRestoredElsewhere(db: SystemDb): Promise<boolean> {
  const { rows } = await db.pool.query<{ foreign: boolean }>(
    `SELECT (${LOGS_ARE_OWN}) IS NOT TRUE OR (${CURSORS_ARE_AHEAD}) AS foreign`,
  );
  return rows[0]?.foreign ?? true;
}

/** Fails while the logs are another cluster's. */
export async function assertLogsAreOwn(db: SystemDb): Promise<void> {
  if (await isRestoredElsewhere(db)) {
    throw new ConfigError(
      'SYSTEM_DATABASE_URL: the database was restored from another cluster, and its readers would skip messages; ' +
        'stop workers and API and run `npm run restart-readers`',
    );
  }
}

/** The timelines of PostgreSQL when the readers were restarted and now; undefined: they are the same. */
export async function timelineChange(
  db: SystemDb,
): Promise<{ readonly from: number; readonly to: number } | undefined> {
  const { rows } = await db.pool.query<{ from: number; to: number }>(`
    SELECT c.timeline AS from, now.timeline_id AS to
    FROM pg_control_system() AS own JOIN log_clusters AS c ON c.system_identifier = own.system_identifier::text
    CROSS JOIN pg_control_checkpoint() AS now WHERE c.timeline <> now.timeline_id`);
  return rows[0];
}

/**
 * Records the cluster at hand as the logs' own, without restarting the readers; false, and nothing is changed, when ids
 * in the logs are ahead of the cluster's.
 */
export async function acceptCluster(db: SystemDb): Promise<boolean> {
  const { rows } = await db.pool.query<{ ahead: boolean }>(`SELECT (${CURSORS_ARE_AHEAD}) AS ahead`);
  if (rows[0]?.ahead !== false) return false;
  await recordCluster(db.pool);
  return true;
}

/** Records that the logs are this cluster's, as it is now. */
export async function recordCluster(client: pg.ClientBase | pg.Pool): Promise<void> {
  await client.query(`
    WITH others AS (
      DELETE FROM log_clusters WHERE system_identifier <> (SELECT system_identifier::text FROM pg_control_system()))
    INSERT INTO log_clusters (system_identifier, timeline)
    SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint()
    ON CONFLICT (system_identifier) DO UPDATE SET timeline = excluded.timeline, recorded_at = now()`);
}
