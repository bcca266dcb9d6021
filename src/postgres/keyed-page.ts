import { sql, type AnyTx } from './sql.ts';

/** A page of a table whose rows are found by a `list_key`: what filters name, as one text of words. */
export interface KeyedPage {
  readonly table: string;
  readonly tenantId: string;
  /** Whether rows with this key, in words, are asked for. */
  readonly matches: (key: readonly string[]) => boolean;
  /** The columns that order the page; the last one tells the rows of a tenant apart. */
  readonly columns: readonly [string, string];
  /** How these columns, as `first` and `id`, order it. */
  readonly orderBy: string;
  /** SQL for what is beyond the page before, and the like; `values` are the parameters from $3 on. */
  readonly conditions?: readonly string[];
  readonly values?: readonly unknown[];
  readonly limit: number;
}

/**
 * Ids of up to `limit` rows, in the order of the page. There are few keys, and an index has the rows of each in order:
 * merged, they give a page that reads as many rows as it has, and one more for each key.
 */
export async function keyedPage(
  tx: AnyTx,
  { table, tenantId, matches, columns: [first, id], orderBy, conditions = [], values: given = [], limit }: KeyedPage,
): Promise<string[]> {
  await readInOrder(tx);
  const keys = await sql<{ key: string }>(tx, distinctKeysSql(table), [tenantId]);
  const asked = keys.filter(({ key }) => matches(key.split(' ')));
  if (asked.length === 0) return [];
  const values: unknown[] = [tenantId, limit, ...given];
  const parts = asked.map(
    ({ key }) => `(SELECT ${first} AS first, ${id} AS id FROM ${table} WHERE tenant_id = $1
      AND ${[`list_key = $${values.push(key)}`, ...conditions].join(' AND ')} ORDER BY ${orderBy} LIMIT $2)`,
  );
  const rows = await sql<{ found: string }>(
    tx,
    `SELECT id::text AS found FROM (${parts.join(' UNION ALL ')}) AS page ORDER BY ${orderBy} LIMIT $2`,
    values,
  );
  return rows.map(({ found }) => found);
}

/** How a page continues that lists the newest first, or the oldest. */
export function pageByTime(
  [time, id]: readonly [string, string],
  after: { readonly at: Date; readonly id: string } | undefined,
  order: 'asc' | 'desc' = 'desc',
): Pick<KeyedPage, 'columns' | 'orderBy' | 'conditions' | 'values'> {
  return {
    columns: [time, id],
    orderBy: `first ${order}, id ${order}`,
    ...(after === undefined
      ? {}
      : {
          conditions: [`(${time}, ${id}) ${order === 'asc' ? '>' : '<'} ($3::timestamptz, $4::uuid)`],
          values: [after.at, after.id],
        }),
  };
}

/** The rows in the order of their ids in a page; one that is gone meanwhile is left out. */
export function inPageOrder<Row>(ids: readonly string[], rows: readonly Row[], idOf: (row: Row) => string): Row[] {
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/**
 * Has the rest of the transaction read rows in the order of an index. Left alone, the planner, which can't know how
 * many rows the tenant policy lets through, may sort all of them for each page.
 */
export async function readInOrder(tx: AnyTx): Promise<void> {
  await sql(
    tx,
    `SELECT WHERE set_config('enable_sort', 'off', true) IS NULL
      OR set_config('enable_bitmapscan', 'off', true) IS NULL`,
    [],
  );
}

/** Each key of the tenant once, by one look into the index for each. */
function distinctKeysSql(table: string): string {
  return `
    WITH RECURSIVE seen AS (
      (SELECT list_key AS key FROM ${table} WHERE tenant_id = $1 AND list_key IS NOT NULL ORDER BY list_key LIMIT 1)
      UNION ALL
      SELECT next.key FROM seen CROSS JOIN LATERAL (
        SELECT list_key AS key FROM ${table} WHERE tenant_id = $1 AND list_key > seen.key ORDER BY list_key LIMIT 1
      ) AS next
    )
    SELECT key FROM seen`;
}
