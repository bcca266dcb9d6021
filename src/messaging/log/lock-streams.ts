import { sql, type AnyTx } from '../../postgres/sql.ts';
import { MESSAGE_OUTBOX } from '../outbox/message-outbox.ts';

/**
 * Makes the transactions that write to a stream (a user's messages, say) follow one another; held until the commit.
 * It must come before the transaction's first write, and before its first `SELECT … FOR UPDATE`: those give it the
 * transaction id that the log is read by. Had it one already while it waits here for another writer, its rows would be
 * read before those of the writer it waited for. Called too late it throws; see `lockStreamsLate`.
 */
export async function lockStreams(tx: AnyTx, keys: readonly string[]): Promise<void> {
  const locks = await lock(tx, keys);
  if (locks.some(({ xid }) => xid !== null))
    throw new Error('lockStreams was called after the transaction had written');
}

/**
 * The same, of the message outbox, for a transaction that has a transaction id already. Whoever wrote to one of the
 * streams under a later id has committed before this answers, and would be read after it: then it is `false`, nothing
 * may be written to the streams, and the whole transaction has to be tried again.
 */
export async function lockStreamsLate(tx: AnyTx, keys: readonly string[]): Promise<boolean> {
  await lock(tx, keys);
  // A statement of its own: it sees what was committed while the one before it waited.
  const later = await sql(
    tx,
    `SELECT position::text FROM ${MESSAGE_OUTBOX.table}
      WHERE key = ANY($1::text[]) AND xid > pg_current_xact_id() LIMIT 1`,
    [[...keys]],
  );
  return later.length === 0;
}

async function lock(tx: AnyTx, keys: readonly string[]): Promise<readonly { readonly xid: string | null }[]> {
  // Sorted by what is locked, so that two transactions with keys in common cannot wait for each other.
  return sql<{ xid: string | null }>(
    tx,
    `
    SELECT pg_advisory_xact_lock(id)::text AS locked, pg_current_xact_id_if_assigned()::text AS xid
    FROM (SELECT DISTINCT hashtextextended(key, 0) AS id FROM unnest($1::text[]) AS key ORDER BY id) AS ids`,
    [[...keys]],
  );
}
