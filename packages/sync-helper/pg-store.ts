import pg from 'pg';
import type { CopyStore, HeldCopy } from './copy-store.ts';
import type { DeletionStore } from './kept-deletions.ts';
import { createPgDeletions, pgDeletionsSql } from './pg-deletions.ts';
import { EffectRefusedError, infrastructureError, InfrastructureError } from './errors.ts';

const DEFAULT_TABLE = 'steadfast_user_copies';
/** Ends the name of the table of deletions that are not done. */
const DELETIONS = '_deletions';

/** A store in the service's own PostgreSQL; effects are written with the client of the record's transaction. */
export interface PgStore extends CopyStore<pg.ClientBase> {
  readonly deletions: DeletionStore;
  /** Creates the tables unless they are there; for services without migrations of their own. */
  migrate(): Promise<void>;
}

/** The statements that create the store's tables; `table` may be `schema.table`. For the service's own migrations. */
export function pgStoreSql(table: string = DEFAULT_TABLE): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (
  tenant_id text NOT NULL,
  user_id uuid NOT NULL,
  user_version integer NOT NULL,
  event_ids text[] NOT NULL,
  is_deleted boolean NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id)
);
${pgDeletionsSql(quoted(`${table}${DELETIONS}`))}`;
}

/**
 * Keeps the records in `table` (`steadfast_user_copies`) of the pool's database, and deletions that are not done in
 * `{table}_deletions`. The pool stays the caller's to end.
 */
export function createPgStore({
  pool,
  table = DEFAULT_TABLE,
}: {
  readonly pool: pg.Pool;
  readonly table?: string;
}): PgStore {
  return {
    deletions: createPgDeletions({ pool, table: quoted(`${table}${DELETIONS}`) }),
    migrate: async () => {
      await pool.query(pgStoreSql(table));
    },
    withCopy: async ({ tenantId, userId }, work) => {
      let hasWorked = false;
      try {
        return await inTransaction(pool, async (client) => {
          const held = await lockCopy(client, { table, tenantId, userId });
          const { result, next } = await work(held, client);
          hasWorked = true;
          if (next !== undefined) await saveCopy(client, { table, tenantId, userId, copy: next });
          return result;
        });
      } catch (error) {
        // A deferred constraint, or an error that the effect has swallowed: the transaction can't be committed.
        if (!hasWorked || error instanceof InfrastructureError) throw error;
        throw new EffectRefusedError(error instanceof Error ? error.message : String(error), { cause: error });
      }
    },
  };
}

interface Place {
  readonly table: string;
  readonly tenantId: string;
  readonly userId: string;
}

async function lockCopy(client: pg.ClientBase, { table, tenantId, userId }: Place): Promise<HeldCopy | undefined> {
  // A row lock would find nothing to lock the first time.
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    JSON.stringify([table, tenantId, userId]),
  ]);
  const {
    rows: [row],
  } = await client.query<{ user_version: number; event_ids: string[]; is_deleted: boolean }>(
    `SELECT user_version, event_ids, is_deleted FROM ${quoted(table)} WHERE tenant_id = $1 AND user_id = $2`,
    [tenantId, userId],
  );
  return row && { userVersion: row.user_version, eventIds: row.event_ids, isDeleted: row.is_deleted };
}

async function saveCopy(
  client: pg.ClientBase,
  { table, tenantId, userId, copy }: Place & { readonly copy: HeldCopy },
): Promise<void> {
  await client.query(
    `
    INSERT INTO ${quoted(table)} (tenant_id, user_id, user_version, event_ids, is_deleted) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET user_version = excluded.user_version, event_ids = excluded.event_ids,
      is_deleted = excluded.is_deleted, updated_at = now()`,
    [tenantId, userId, copy.userVersion, copy.eventIds, copy.isDeleted],
  );
}

async function inTransaction<Result>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks fails the next statement; unheard, its event would end the process
  const ignore = (): void => {};
  client.on('error', ignore);
  let isBroken = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Without an answer to this the database is away, whatever the work complained of.
    await client.query('ROLLBACK').catch((failure: unknown) => {
      isBroken = true;
      throw infrastructureError('the database', failure);
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(isBroken);
  }
}

function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => pg.escapeIdentifier(part))
    .join('.');
}
