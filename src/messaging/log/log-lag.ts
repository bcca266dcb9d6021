import type { SystemDb } from '../../postgres/client.ts';
import { MAX_PARTITIONS, useOrderedIndex, type Log } from './log.ts';
import { systemTransaction } from '../../postgres/transaction.ts';

/** How far the horizon of the logs is behind, and what holds it back. Ages are in milliseconds. */
export interface HorizonLag {
  /** Age of the oldest row that is committed and not readable yet; 0: there is none. */
  readonly unreadableMs: number;
  /** Age of the oldest open transaction that wrote, in any database of the cluster; 0: there is none. */
  readonly transactionMs: number;
  /**
   * Number of such transactions whose age we may not see; the login needs `pg_read_all_stats` to see those of other
   * roles.
   */
  readonly hiddenTransactions: number;
}

/** Measures what delays the readers of these logs. */
export async function horizonLag(db: SystemDb, logs: readonly Log[]): Promise<HorizonLag> {
  const unreadableMs = await systemTransaction(db.pool, async (client) => {
    await useOrderedIndex(client);
    const { rows } = await client.query<{ ms: number | null }>(
      logs
        .map(
          ({ table }) => `
      SELECT extract(epoch FROM max(clock_timestamp() - t.created_at))::float8 * 1000 AS ms
      FROM generate_series(0, $1::int - 1) AS p (partition)
      CROSS JOIN LATERAL (
        SELECT created_at FROM ${table} AS t
        WHERE t.partition = p.partition AND t.xid >= pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY t.xid, t.position LIMIT 1
      ) AS t`,
        )
        .join(' UNION ALL '),
      [MAX_PARTITIONS],
    );
    return Math.max(0, ...rows.map(({ ms }) => ms ?? 0));
  });
  return { unreadableMs, ...(await openTransactions(db)) };
}

async function openTransactions(db: SystemDb): Promise<Pick<HorizonLag, 'transactionMs' | 'hiddenTransactions'>> {
  return await systemTransaction(db.pool, async (client) => {
    const { rows } = await client.query<{ ms: number; hidden: number }>(`
      SELECT coalesce(extract(epoch FROM max(clock_timestamp() - began)) * 1000, 0)::float8 AS ms,
        count(*) FILTER (WHERE began IS NULL)::int AS hidden
      FROM (SELECT xact_start AS began FROM pg_stat_activity WHERE backend_xid IS NOT NULL
            UNION ALL SELECT prepared FROM pg_prepared_xacts) AS open`);
    return { transactionMs: rows[0]?.ms ?? 0, hiddenTransactions: rows[0]?.hidden ?? 0 };
  });
}

/**
 * How far one reader is behind: the age of the oldest row it has not done with, in all partitions; 0: it is up to date.
 */
export async function readerLagMs(db: SystemDb, { reader, log }: { reader: string; log: Log }): Promise<number> {
  return await systemTransaction(db.pool, async (client) => {
    await useOrderedIndex(client);
    const { rows } = await client.query<{ ms: number | null }>(
      `
      WITH read AS MATERIALIZED ( -- apart, or row-level security keeps the expressions out of the index search
        SELECT p.partition, coalesce(c.xid, '0') AS xid, coalesce(c.position, 0) AS position
        FROM generate_series(0, $1::int - 1) AS p (partition)
        LEFT JOIN log_cursors AS c ON c.reader = $2 AND c.partition = p.partition)
      SELECT extract(epoch FROM max(clock_timestamp() - t.created_at))::float8 * 1000 AS ms
      FROM read CROSS JOIN LATERAL (
        SELECT created_at FROM ${log.table} AS t
        WHERE t.partition = read.partition AND (t.xid, t.position) > (read.xid, read.position)
        ORDER BY t.xid, t.position LIMIT 1
      ) AS t`,
      [MAX_PARTITIONS, reader],
    );
    return Math.max(0, rows[0]?.ms ?? 0);
  });
}
