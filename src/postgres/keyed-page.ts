import { sql, type AnyTx } from './sql.ts';

/** A page of a table whose rows are found by a `list_key`: what filters name, as one text of words. */
export interface KeyedPage {
  readonly table: string;
  readonly tenantId: string;
  /** Only the rows whose `listed_for` this is. */
  readonly listedFor?: string | null;
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
export async function keyedPage(tx: AnyTx, page: KeyedPage): Promise<string[]> {
  const { table, tenantId, listedFor = null, columns, orderBy, conditions = [], values: given = [], limit } = page;
  const asked = await matchingKeys(tx, page);
  if (asked.length === 0) return [];
  const [first, id] = columns;
  const values: unknown[] = [tenantId, limit, ...given];
  const all = [
    'tenant_id = $1',
    ...(listedFor === null ? [] : [`listed_for = $${values.push(listedFor)}`]),
    ...conditions,
  ].join(' AND ');
  const parts = asked.map(
    (key) => `(SELECT ${first} AS first, ${id} AS id FROM ${table} WHERE ${all} AND list_key = $${values.push(key)}
      ORDER BY ${orderBy} LIMIT $2)`,
  );
  const rows = await sql<{ found: string }>(
    tx,
    `SELECT id::text AS found FROM (${parts.join(' UNION ALL ')}) AS page ORDER BY ${orderBy} LIMIT $2`,
    values,
  );
  return rows.map(({ found }) => found);
}

/** Where a page by time ends: the next one begins after it. */
export interface Place {
  readonly at: Date;
  readonly id: string;
}

/** The place as text, opaque to whoever hands it back. */
export function writePlace({ at, id }: Place): string {
  return `${at.getTime()}_${id}`;
}

/** What `writePlace` wrote; of anything else, the begin. */
export function readPlace(text: string | null | undefined): Place | undefined {
  const [at = '', id] = (text ?? '').split('_');
  return id === undefined ? undefined : { at: new Date(Number(at)), id };
}

/** How a page continues that lists the newest first, or the oldest. */
export function pageByTime(
  [time, id]: readonly [string, string],
  after: Place | undefined,
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

/** The keys that match, each by one look into the index; from then on the transaction reads in order. */
export async function matchingKeys(
  tx: AnyTx,
  { table, tenantId, listedFor = null, matches }: Pick<KeyedPage, 'table' | 'tenantId' | 'listedFor' | 'matches'>,
): Promise<string[]> {
  await readInOrder(tx);
  const condition = `tenant_id = $1${listedFor === null ? '' : ' AND listed_for = $2'}`;
  const keys = await sql<{ key: string }>(
    tx,
    `WITH RECURSIVE seen AS (
      (SELECT list_key AS key FROM ${table} WHERE ${condition} AND list_key IS NOT NULL ORDER BY list_key LIMIT 1)
      UNION ALL
      SELECT next.key FROM seen CROSS JOIN LATERAL (
        SELECT list_key AS key FROM ${table} WHERE ${condition} AND list_key > seen.key ORDER BY list_key LIMIT 1
      ) AS next
    )
    SELECT key FROM seen`,
    [tenantId, ...(listedFor === null ? [] : [listedFor])],
  );
  return keys.map(({ key }) => key).filter((key) => matches(key.split(' ')));
}
