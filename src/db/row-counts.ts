import { systemTransaction } from '../postgres/transaction.ts';
import { sql, type AnyTx } from '../postgres/sql.ts';
import type { SystemPool } from '../postgres/pool.ts';

/** What is counted: rows of these tables, by a key of words. Triggers keep the counts, whoever writes the rows. */
export const COUNTED = ['users', 'dead_letters', 'alerts', 'notifications', 'pending_starts'] as const;
export type Counted = (typeof COUNTED)[number];

/** How many rows have one key. */
export interface RowCount {
  readonly key: string;
  readonly count: number;
}

/** The tenant of the counts that are those of all tenants together; no other table has rows of it. */
export const EVERY_TENANT = '*';

/** The counts of a tenant, or of all of them together; a count is exact in the transaction's snapshot. */
export async function rowCounts(
  tx: AnyTx,
  { tenantId, counted }: { readonly tenantId: string; readonly counted: Counted },
): Promise<RowCount[]> {
  return sql<RowCount>(
    tx,
    `SELECT key, sum(count)::float8 AS count FROM row_counts WHERE tenant_id = $1 AND counted = $2
      GROUP BY key HAVING sum(count) <> 0`,
    [tenantId, counted],
  );
}

/** The sums of counts by what `wordOf` makes of a key. */
export function sumCounts(counts: readonly RowCount[], wordOf: (words: readonly string[]) => string): RowCount[] {
  const sums = new Map<string, number>();
  for (const { key, count } of counts) {
    const word = wordOf(key.split(' '));
    sums.set(word, (sums.get(word) ?? 0) + count);
  }
  return [...sums].map(([key, count]) => ({ key, count }));
}

/** A count that was not what the rows say. */
export interface CountRepair {
  readonly counted: Counted;
  readonly tenantId: string;
  readonly key: string;
  /** What was added to it. */
  readonly difference: number;
}

/** Compares the counts with the rows, in one snapshot each, and repairs what differs. */
export async function repairCounts(pool: SystemPool): Promise<CountRepair[]> {
  const repairs: CountRepair[] = [];
  for (const counted of COUNTED) {
    const found = await systemTransaction(pool, (client) =>
      sql<Omit<CountRepair, 'counted'>>(
        client,
        `SELECT of_tenant AS "tenantId", which AS key, difference::float8 AS difference FROM recount_${counted}()`,
        [],
      ),
    );
    repairs.push(...found.map((repair) => ({ counted, ...repair })));
  }
  return repairs;
}
