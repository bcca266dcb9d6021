import type pg from 'pg';
import type { MemberPool, SystemPool } from '../../postgres/pool.ts';
import { systemTransaction } from '../../postgres/transaction.ts';
import { runSystemStatement } from '../../postgres/statement.ts';

/** An append-only table that is read by cursor; it has `partition`, `xid`, `position` and `created_at`. */
export interface Log {
  readonly table: string;
  /**
   * Whose cursors are the log's. One reader by its name: its duty never ends, so that its cursor and what it has not
   * read are kept however long it is away. Groups by the beginning of their names: they come and go, so that a cursor
   * without a group is removed in time, and rows that no group asks for go by their age.
   */
  readonly readers: { readonly name: string } | { readonly prefix: string };
  /** SQL for the bytes of a row's payload, `t.payload`; it must not unpack what is stored compressed. */
  readonly payloadBytes: string;
}

/** Who reads logs: they are read for all tenants at once. */
export type LogPool = SystemPool | MemberPool;

/** SQL that is true for the cursors of the log's readers, with their name in the parameter `$n`. */
export function readersOf({ readers }: Log, n: number): { readonly condition: string; readonly parameter: string } {
  return 'name' in readers
    ? { condition: `reader = $${n}`, parameter: readers.name }
    : { condition: `starts_with(reader, $${n})`, parameter: readers.prefix };
}

/**
 * SQL that is true when the transaction ids in the logs are of the cluster at hand, and of no other. Those of another
 * one can't be compared with new ones, so nobody may read or move a cursor then.
 */
export const LOGS_ARE_OWN =
  'SELECT array_agg(system_identifier) = ARRAY[(SELECT system_identifier::text FROM pg_control_system())] FROM ' +
  'log_clusters';

/** Partitions are numbered from 0 to below this; BUS_PARTITIONS allows no more. */
export const MAX_PARTITIONS = 256;

/** Where a reader stands: the last row it has done with. The numbers are decimal texts, since both outgrow a double. */
export interface LogCursor {
  /** Raised when the readers are restarted; a cursor of another epoch means nothing. */
  readonly epoch: number;
  readonly xid: string;
  readonly position: string;
}

/** Bytes of payload that are read of one partition at a time, unless a single row has more. */
const MAX_READ_BYTES = 8_000_000;
/** A row with more, from before tables refused it, is read as its beginning, which no consumer takes for a message. */
const MAX_ROW_BYTES = 4_000_000;
const KEPT_CHARACTERS = 1_000;

/** SQL that reads a column as a text. */
function asText(column: string): string {
  if (column !== 'payload') return `r.${column}::text AS ${column}`;
  return `CASE WHEN r.payload_bytes <= ${MAX_ROW_BYTES} THEN r.payload::text
    ELSE left(r.payload::text, ${KEPT_CHARACTERS}) || ' … cut, of ' || r.payload_bytes || ' bytes' END AS payload`;
}

/** A row of a log: its place, and the asked columns as texts. */
export type LogRow<Column extends string> = {
  readonly partition: number;
  readonly xid: string;
  readonly position: string;
} & Readonly<Record<Exclude<Column, 'published_by'>, string>> &
  Readonly<Record<Extract<Column, 'published_by'>, string | null>>;

/** What to read: after which cursor in which partitions, at most `limit` rows of each. */
export interface LogRead<Column extends string> {
  readonly log: Log;
  readonly columns: readonly Column[];
  readonly from: readonly { readonly partition: number; readonly cursor: Pick<LogCursor, 'xid' | 'position'> }[];
  readonly limit: number;
}

/**
 * The rows after the cursors, in the order of `(xid, position)` within a partition.
 * A row is readable once every transaction that began to write before its own has ended: none can then still commit a
 * row in front of it, so moving a cursor past it skips nothing. An open transaction therefore delays every reader.
 */
export async function readLog<Column extends string>(
  pool: LogPool,
  { log, columns, from, limit }: LogRead<Column>,
): Promise<LogRow<Column>[]> {
  if (from.length === 0) return [];
  return await runSystemStatement<LogRow<Column>>(pool, {
    isOrdered: true,
    text: `
      SELECT r.partition,
        ${['xid', 'position', ...columns].map(asText).join(', ')}
      FROM unnest($1::int[], $2::xid8[], $3::bigint[]) AS c (partition, xid, position)
      CROSS JOIN LATERAL (
        SELECT t.*, ${log.payloadBytes} AS payload_bytes,
          sum(${log.payloadBytes}) OVER (ORDER BY t.xid, t.position ROWS UNBOUNDED PRECEDING) - ${log.payloadBytes}
            AS bytes_before
        FROM ${log.table} AS t
        WHERE t.partition = c.partition
          AND (t.xid, t.position) > (c.xid, c.position)
          AND t.xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY t.xid, t.position
        LIMIT $4
      ) AS r
      WHERE r.bytes_before < ${MAX_READ_BYTES}
      ORDER BY r.partition, r.xid, r.position`,
    values: [
      from.map(({ partition }) => partition),
      from.map(({ cursor }) => cursor.xid),
      from.map(({ cursor }) => cursor.position),
      limit,
    ],
  });
}

/**
 * Has the rest of the transaction read logs along their index. Left alone, the planner, which can't know how many rows
 * the tenant policy lets through, may sort the whole backlog for each batch.
 */
export async function useOrderedIndex(client: pg.ClientBase): Promise<void> {
  await client.query('SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off');
}

/**
 * The partitions that hold rows; there may be more than are written to now, when the number of partitions was lowered.
 */
export async function usedPartitions(pool: LogPool, { table }: Log): Promise<number[]> {
  return await systemTransaction(pool, async (client) => {
    await useOrderedIndex(client);
    const { rows } = await client.query<{ partition: number }>(
      `
      SELECT p.partition FROM generate_series(0, $1::int - 1) AS p (partition)
      CROSS JOIN LATERAL (SELECT FROM ${table} AS t WHERE t.partition = p.partition LIMIT 1) AS t`,
      [MAX_PARTITIONS],
    );
    return rows.map(({ partition }) => partition);
  });
}
