import type { SyncedUser, UserCopy } from '@steadfast/sync-helper';
import type pg from 'pg';

/** Creates the service's table unless it is there. */
export async function createAccounts(pool: pg.Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE IF NOT EXISTS accounts (
      tenant_id text, user_id uuid, version integer NOT NULL, email text NOT NULL, name text, status text NOT NULL,
      times_written integer NOT NULL DEFAULT 1,
      PRIMARY KEY (tenant_id, user_id))`);
}

/** Writes the user over what is held; `client` is in the transaction that also records the event. */
export async function writeAccount(
  { tenantId, userId, userVersion, email, name, status }: SyncedUser,
  client: pg.ClientBase,
): Promise<void> {
  await client.query(
    `
    INSERT INTO accounts AS held (tenant_id, user_id, version, email, name, status) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET
      version = excluded.version, email = excluded.email, name = excluded.name, status = excluded.status,
        times_written = held.times_written + 1`,
    [tenantId, userId, userVersion, email, name, status],
  );
}

/** Removes the user, held or not. */
export async function removeAccount({ tenantId, userId }: UserCopy, client: pg.ClientBase): Promise<void> {
  await client.query('DELETE FROM accounts WHERE tenant_id = $1 AND user_id = $2', [tenantId, userId]);
}

/** What is held of a user. */
export async function readAccount(pool: pg.Pool, userId: string): Promise<object | undefined> {
  const { rows } = await pool.query<object>(
    `
    SELECT tenant_id AS "tenantId", user_id AS "userId", version, email, name, status, times_written AS "timesWritten"
    FROM accounts WHERE user_id::text = $1`,
    [userId],
  );
  return rows[0];
}
