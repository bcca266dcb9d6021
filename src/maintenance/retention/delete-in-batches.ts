import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { SystemPool } from '../../postgres/pool.ts';
import { systemTransaction } from '../../postgres/transaction.ts';

/**
 * Most rows deleted in one transaction. A longer one would delay the readers of every log for as long as it is open.
 */
export const BATCH_SIZE = 5_000;

/** What each part of the clean-up is given. */
export interface Removal {
  readonly pool: SystemPool;
  readonly client: Client;
  readonly config: Pick<Config, 'RETENTION_DAYS' | 'IDEMPOTENCY_KEY_HOURS' | 'TASK_QUEUE'>;
  /** Adds to the report and sends a heartbeat; to be called after each batch, an empty one too. */
  readonly count: (table: string, removed: number) => void;
}

/** Deletes the rows of `table` for which `condition` holds, batch by batch. */
export async function removeWhere(
  { pool, count }: Removal,
  table: string,
  condition: string,
  parameters: readonly unknown[],
): Promise<void> {
  let removed: number;
  do {
    const { rowCount } = await systemTransaction(pool, (client) =>
      client.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition}
          LIMIT ${BATCH_SIZE}))`,
        [...parameters],
      ),
    );
    removed = rowCount ?? 0;
    count(table, removed);
  } while (removed === BATCH_SIZE);
}
