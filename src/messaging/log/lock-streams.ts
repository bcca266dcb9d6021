import { sql, type AnyTx } from '../../postgres/sql.ts';

/**
 * Makes the transactions that write to a stream (a user's messages, say) follow one another; held until the commit.
 * It must come before the transaction's first write, and before its first `SELECT … FOR UPDATE`: those give it the
 * transaction id that the log is read by. Had it one already while it waits here for another writer, its rows would be
 * read before those of the writer it waited for. Called too late it throws.
 */
export async function lockStreams(tx: AnyTx, keys: readonly string[]): Promise<void> {
  // Sorted by what is locked, so that two transactions with keys in common cannot wait for each other.
  const locks = await sql<{ xid: string | null }>(
    tx,
    `
    SELECT pg_advisory_xact_lock(id)::text AS locked, pg_current_xact_id_if_assigned()::text AS xid
    FROM (SELECT DISTINCT hashtextextended(key, 0) AS id FROM unnest($1::text[]) AS key ORDER BY id) AS ids`,
    [[...keys]],
  );
  if (locks.some(({ xid }) => xid !== null))
    throw new Error('lockStreams was called after the transaction had written');
}
