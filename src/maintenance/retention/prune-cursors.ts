import type { Removal } from './delete-in-batches.ts';

// The relay's name never changes, and what it has not published must not be removed however long it was away.
const ABANDONED = `
  reader <> 'outgoing-relay' AND (lease_until IS NULL OR lease_until <= now())
  AND updated_at < now() - make_interval(days => $1::int)`;

/**
 * Removes the cursors of readers that nobody has been for RETENTION_DAYS, such as a group that now asks for other
 * topics: they would keep every message for ever. Only those that an earlier clean-up found so an hour ago or more:
 * after a long stop of the whole system the clean-up may be faster than the readers.
 */
export async function pruneCursors({ pool, config, count }: Removal): Promise<void> {
  const { rowCount } = await pool.query(
    `DELETE FROM log_cursors WHERE ${ABANDONED} AND abandoned_at <= now() - interval '1 hour'`,
    [config.RETENTION_DAYS],
  );
  await pool.query(`UPDATE log_cursors SET abandoned_at = now() WHERE ${ABANDONED} AND abandoned_at IS NULL`, [
    config.RETENTION_DAYS,
  ]);
  count('log_cursors', rowCount ?? 0);
}
