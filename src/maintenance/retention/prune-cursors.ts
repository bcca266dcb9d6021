import type { Log } from '../../messaging/log/log.ts';
import type { Removal } from './delete-in-batches.ts';

// The cursor of a named reader is never abandoned: what it has not read must not be removed however long it was away.
const ABANDONED = `
  reader <> ALL($2::text[]) AND (lease_until IS NULL OR lease_until <= now())
  AND updated_at < now() - make_interval(days => $1::int)`;

/**
 * Removes the cursors of readers that nobody has been for RETENTION_DAYS, such as a group that now asks for other
 * topics: they would keep every message for ever. Only those that an earlier clean-up found so an hour ago or more:
 * after a long stop of the whole system the clean-up may be faster than the readers.
 */
export async function pruneCursors({ pool, config, count }: Removal, logs: readonly Log[]): Promise<void> {
  const named = logs.flatMap(({ readers }) => ('name' in readers ? [readers.name] : []));
  const { rowCount } = await pool.query(
    `DELETE FROM log_cursors WHERE ${ABANDONED} AND abandoned_at <= now() - interval '1 hour'`,
    [config.RETENTION_DAYS, named],
  );
  await pool.query(`UPDATE log_cursors SET abandoned_at = now() WHERE ${ABANDONED} AND abandoned_at IS NULL`, [
    config.RETENTION_DAYS,
    named,
  ]);
  count('log_cursors', rowCount ?? 0);
}
