import type pg from 'pg';
import { CLAIM_MS, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, type DeletionStore } from './kept-deletions.ts';
import type { DeletedUser } from './user-events.ts';

interface Row {
  readonly tenant_id: string;
  readonly user_id: string;
  readonly user_version: number;
  readonly event_id: string;
  readonly is_asked: boolean;
  readonly attempts: number;
  readonly due_at: Date;
}

const COLUMNS = 'tenant_id, user_id, user_version, event_id, is_asked, attempts, due_at';

/** The statement that creates the table of deletions that are not done; `table` is quoted. */
export function pgDeletionsSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  tenant_id text NOT NULL,
  user_id uuid NOT NULL,
  user_version integer NOT NULL,
  event_id text NOT NULL,
  is_asked boolean NOT NULL,
  attempts integer NOT NULL,
  due_at timestamptz NOT NULL,
  kept_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id)
)`;
}

/** Keeps deletions that are not done in `table`, which is quoted. */
export function createPgDeletions({ pool, table }: { readonly pool: pg.Pool; readonly table: string }): DeletionStore {
  return {
    keep: async ({ tenantId, userId, userVersion, eventId, isAsked }) => {
      // The pause of `pauseAfterMs`; the count is that of the attempts before.
      await pool.query(
        `INSERT INTO ${table} AS kept (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, 1, now() + make_interval(secs => $6))
        ON CONFLICT (tenant_id, user_id) DO UPDATE SET user_version = excluded.user_version,
          event_id = excluded.event_id, is_asked = kept.is_asked OR excluded.is_asked, attempts = kept.attempts + 1,
          due_at = now() + make_interval(secs => least($6 * 2 ^ least(kept.attempts, 30), $7))`,
        [tenantId, userId, userVersion, eventId, isAsked, FIRST_PAUSE_MS / 1_000, LONGEST_PAUSE_MS / 1_000],
      );
    },
    claim: async (limit) => {
      const { rows } = await pool.query<Row>(
        `UPDATE ${table} SET due_at = now() + make_interval(secs => $2)
        WHERE (tenant_id, user_id) IN (
          SELECT tenant_id, user_id FROM ${table} WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING ${COLUMNS}`,
        [limit, CLAIM_MS / 1_000],
      );
      return rows.map(userOf);
    },
    done: async ({ tenantId, userId }) => {
      await pool.query(`DELETE FROM ${table} WHERE tenant_id = $1 AND user_id = $2`, [tenantId, userId]);
    },
    list: async () => {
      const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM ${table} ORDER BY kept_at`);
      return rows.map((row) => ({ user: userOf(row), attempts: row.attempts, dueAt: row.due_at }));
    },
    replay: async () => {
      await pool.query(`UPDATE ${table} SET due_at = now()`);
    },
  };
}

function userOf(row: Row): DeletedUser {
  return {
    tenantId: row.tenant_id,
    userId: row.user_id,
    userVersion: row.user_version,
    eventId: row.event_id,
    isAsked: row.is_asked,
  };
}
