import type { Log } from '../../messaging/log/log.ts';
import type { Removal } from './delete-in-batches.ts';

// The cursor of a named reader, such as the message relay, is never removed: what it has not read must be kept.
const ABANDONED = `
  reader <> ALL($2::text[]) AND (lease_until IS NULL OR lease_until <= now())
  AND updated_at < now() - make_interval(days => $1::int)`;

/**
 * Removes cursors that no reader has touched for RETENTION_DAYS, such as those of a group that now subscribes to other
 * topics: while they exist no message after them is pruned. Only cursors that an earlier clean-up, an hour ago or more,
 * has found abandoned: after a long stop of the whole system the clean-up may run before the readers have started.
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
