import type pg from 'pg';
import type { SystemDb } from '../../postgres/client.ts';
import { recordCluster } from '../../messaging/log/cluster-identity.ts';
import { LOGS } from '../../db/logs.ts';
import { systemTransaction } from '../../postgres/transaction.ts';

const VERSION_STEP = 1_000_000;
const LARGEST_INT4 = 2_147_483_647;

/** What a restart did. */
export interface Restart {
  /** Users whose version was raised. */
  readonly users: number;
  /** By how much. */
  readonly raisedBy: number;
}

/**
 * Makes a restored database safe to work with, whatever it was restored from. In one transaction:
 *
 * 1. Each row of a log gets this transaction's id, so that all are readable and their order is that of their positions,
 *    which is the order within each stream.
 * 2. Each cursor returns to the start under a new epoch and loses its lease, so that a reader still at work can't save
 *    where it stood. Every row that is kept is then read and delivered again; consumers know by their inbox what took
 *    effect before.
 * 3. `version` of every user rises by 1,000,000: the services may hold later ones than a back-up has, and so would take
 *    what is sent from here on for old. The audit sends every user again. The revisions stay as they are: they tell
 *    whether the row or its open workflow knows more. Each run raises again, which costs nothing but room: of some
 *    2,100 runs that `int4` has room for, the last ones raise by half of what is left.
 * 4. The logs are recorded as this cluster's, which lets workers and API start.
 *
 * Run it with workers and API stopped: it locks the logs and the users against writing.
 */
export async function resetCursors(system: SystemDb): Promise<Restart> {
  return await systemTransaction(system.pool, async (client) => {
    await client.query('SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
    for (const { table } of LOGS) {
      await client.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
      await client.query(`UPDATE ${table} SET xid = pg_current_xact_id()`);
    }
    await client.query(`
      UPDATE log_cursors SET epoch = epoch + 1, xid = '0', position = 0,
        lease_owner = NULL, lease_until = NULL, updated_at = now(), abandoned_at = NULL`);
    const restart = await raiseVersions(client);
    await recordCluster(client);
    return restart;
  });
}

async function raiseVersions(client: pg.ClientBase): Promise<Restart> {
  await client.query('LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE');
  const {
    rows: [found],
  } = await client.query<{ highest: number | null }>('SELECT max(version) AS highest FROM users');
  const raisedBy = Math.min(VERSION_STEP, Math.floor((LARGEST_INT4 - (found?.highest ?? 0)) / 2));
  const { rowCount } = await client.query(`UPDATE users SET version = version + $1, sync_status = 'pending'`, [
    raisedBy,
  ]);
  return { users: rowCount ?? 0, raisedBy };
}
