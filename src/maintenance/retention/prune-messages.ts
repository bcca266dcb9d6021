import { readersOf, usedPartitions, useOrderedIndex, type Log } from '../../messaging/log/log.ts';
import { systemTransaction } from '../../postgres/transaction.ts';
import { BATCH_SIZE, type Removal } from './delete-in-batches.ts';

/**
 * Removes the messages that are older than RETENTION_DAYS and that every reader has passed. It walks each partition
 * along the index of its readers, where the oldest come first, and so needs no index on their age, which each insert
 * would pay.
 */
export async function pruneMessages(removal: Removal, log: Log): Promise<void> {
  for (const partition of await usedPartitions(removal.pool, log)) {
    let from: Place | undefined = { xid: '0', position: '0' };
    while (from !== undefined) from = await removeBatch(removal, { log, partition, from });
  }
}

interface Place {
  readonly xid: string;
  readonly position: string;
}

/** Returns where to go on; undefined: the rest is too young, or not read by all. */
async function removeBatch(
  { pool, config, count }: Removal,
  { log, partition, from }: { log: Log; partition: number; from: Place },
): Promise<Place | undefined> {
  return await systemTransaction(pool, async (client) => {
    await useOrderedIndex(client);
    const { table, readers } = log;
    const { condition, parameter } = readersOf(log, 2);
    const {
      rows: [slowest],
    } = await client.query<Place>(
      `SELECT xid::text AS xid, position::text AS position FROM log_cursors c WHERE partition = $1 AND ${condition}
        ORDER BY c.xid, c.position LIMIT 1`,
      [partition, parameter],
    );
    if (slowest === undefined && 'name' in readers) return undefined;
    const to = slowest ?? { xid: '18446744073709551615', position: '9223372036854775807' };
    const {
      rows: [seen],
    } = await client.query<Place & { count: number; removed: number }>(
      `
      WITH head AS MATERIALIZED (
        SELECT ctid, xid, position, created_at FROM ${table} AS t
        WHERE partition = $1 AND (t.xid, t.position) > ($2::xid8, $3::bigint)
          AND (t.xid, t.position) <= ($4::xid8, $5::bigint)
        ORDER BY t.xid, t.position LIMIT ${BATCH_SIZE}),
      removed AS (
        DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM head
          WHERE created_at < now() - make_interval(days => $6::int)))
        RETURNING 1)
      SELECT (SELECT count(*) FROM head)::int AS count, (SELECT count(*) FROM removed)::int AS removed,
        last.xid::text AS xid, last.position::text AS position
      FROM (SELECT h.xid, h.position FROM head AS h ORDER BY h.xid DESC, h.position DESC LIMIT 1) AS last`,
      [partition, from.xid, from.position, to.xid, to.position, config.RETENTION_DAYS],
    );
    count(table, seen?.removed ?? 0);
    return seen === undefined || seen.count < BATCH_SIZE || seen.removed === 0
      ? undefined
      : { xid: seen.xid, position: seen.position };
  });
}
