import { ALL_TENANTS, type Db } from './client.ts';
import { LOG_TABLES } from './log.ts';
import { rawTransaction } from './raw-transaction.ts';

/**
 * Whether the logs come from another cluster, whose transaction ids this one has not reached yet: a dump was restored
 * here. New rows would be taken for old ones and never be read, the restored ones not before the ids catch up.
 */
export async function isRestoredElsewhere(db: Db): Promise<boolean> {
  const { rows } = await db.pool.query<{ ahead: boolean }>(
    'SELECT EXISTS (SELECT FROM log_cursors WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())) AS ahead');
  return rows[0]?.ahead ?? false;
}

/**
 * Makes every reader of every log begin anew after a restore into another cluster. In one transaction:
 * each row gets this transaction's id, so that all are readable and their order is that of their positions, which is the
 * order within each stream; each cursor returns to the start under a new epoch and loses its lease, so that a reader
 * still at work can't save where it stood. Every row that is kept is then read and delivered again; consumers know by
 * their inbox what took effect before. Run it with workers and API stopped: it locks the logs against writing.
 */
export async function restartReaders(db: Db): Promise<void> {
  await rawTransaction(db.pool, ALL_TENANTS, async (client) => {
    await client.query('SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
    for (const table of LOG_TABLES) {
      await client.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
      await client.query(`UPDATE ${table} SET xid = pg_current_xact_id()`);
    }
    await client.query(`
      UPDATE log_cursors SET epoch = epoch + 1, xid = '0', position = 0, lease_owner = NULL, lease_until = NULL, updated_at = now()`);
  });
}
