import type pg from 'pg';
import pgClient from 'pg';

/** Reads of one table. */
export type RowsRead = Readonly<Record<string, number>>;

/** Tells how many rows statements read, whoever runs them on the one connection that each pool has. */
export interface RowCounter {
  /** Rows that `work` read, by table; those of an index alone count as well. */
  readsOf(work: () => Promise<unknown>): Promise<RowsRead>;
  close(): Promise<void>;
}

const TOTALS = `
  SELECT s.relname AS name, (s.seq_tup_read + greatest(s.idx_tup_fetch, coalesce(i.read, 0)))::float8 AS rows
  FROM pg_stat_user_tables AS s
  LEFT JOIN (SELECT relid, sum(idx_tup_read) AS read FROM pg_stat_user_indexes GROUP BY relid) AS i USING (relid)`;

/** Counts by the statistics that PostgreSQL keeps itself. */
export async function countRows(pools: readonly pg.Pool[], superuserUrl: string): Promise<RowCounter> {
  if (pools.some(({ options }) => options.max !== 1)) throw new Error('only one connection may be at work');
  const client = new pgClient.Client({ connectionString: superuserUrl });
  await client.connect();
  const totals = async (): Promise<Map<string, number>> => {
    for (const pool of pools) {
      await pool.query('SELECT pg_stat_force_next_flush()');
      await pool.query('SELECT'); // what is flushed goes out before the next statement is answered
    }
    const { rows } = await client.query<{ name: string; rows: number }>(TOTALS);
    return new Map(rows.map(({ name, rows: read }) => [name, read]));
  };
  return {
    readsOf: async (work) => {
      const before = await totals();
      await work();
      const after = await totals();
      return Object.fromEntries(
        [...after]
          .map(([name, read]) => [name, read - (before.get(name) ?? 0)] as const)
          .filter(([, read]) => read > 0),
      );
    },
    close: () => client.end(),
  };
}
