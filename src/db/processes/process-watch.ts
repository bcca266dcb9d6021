import type { Pool } from 'pg';
import type { WatchedRow } from '../../domain/process/watch.ts';
import { CLOSED_STATUSES, PROCESS_STATUSES, isClosed, type ProcessStatus } from '../../domain/process/statuses.ts';
import { runStatement } from '../../postgres/statement.ts';
import { ALL_TENANTS } from '../../postgres/tenants.ts';

/** A process as the watchdog reads it. */
export interface WatchedProcess extends WatchedRow {
  readonly tenantId: string;
  readonly processId: string;
  readonly type: string;
  readonly workflowId: string;
}

/** Place in the list of processes that have not moved: by status, then by the time of their last change. */
export interface WatchCursor {
  readonly status: ProcessStatus;
  readonly after: { readonly updatedAt: number; readonly processId: string } | null;
}

const OPEN_STATUSES = PROCESS_STATUSES.filter((status) => !isClosed(status));

/** Where the list begins. */
export const FIRST_UNMOVED: WatchCursor = { status: OPEN_STATUSES[0] ?? 'running', after: null };

const COLUMNS = `tenant_id AS "tenantId", process_id::text AS "processId", process_type AS type,
  workflow_id AS "workflowId", status::text,
  current_step AS "currentStep", due_at AS "dueAt", updated_at AS "updatedAt", attempts, last_error AS "lastError",
  retry_at AS "retryAt"`;

type Row = Omit<WatchedProcess, 'dueAt' | 'updatedAt' | 'retryAt'> & {
  readonly dueAt: Date | null;
  readonly updatedAt: Date;
  readonly retryAt: Date | null;
};

/**
 * One page, over all tenants, of open processes that have not moved for `stuckAfterMs`; `next` null: it was the last
 * page.
 */
export async function unmovedProcesses(
  pool: Pool,
  { cursor: { status, after }, stuckAfterMs, limit }: { cursor: WatchCursor; stuckAfterMs: number; limit: number },
): Promise<{ processes: WatchedProcess[]; next: WatchCursor | null }> {
  const rows = await runStatement<Row>(pool, ALL_TENANTS, {
    name: 'unmoved-processes',
    text: `SELECT ${COLUMNS} FROM process_states
      WHERE status = $1::"ProcessStatus" AND updated_at < now() - make_interval(secs => $2::float8 / 1000)
        AND ($3::timestamptz IS NULL OR (updated_at, process_id) > ($3, $4::uuid))
      ORDER BY updated_at, process_id LIMIT $5`,
    values: [status, stuckAfterMs, after === null ? null : new Date(after.updatedAt), after?.processId ?? null, limit],
  });
  const processes = rows.map(watchedOf);
  const last = processes.at(-1);
  if (last !== undefined && processes.length === limit) return { processes, next: { status, after: last } };
  const following = OPEN_STATUSES[OPEN_STATUSES.indexOf(status) + 1];
  return { processes, next: following === undefined ? null : { status: following, after: null } };
}

/** One process; null: there is no such row. */
export async function findWatched(
  pool: Pool,
  { tenantId, processId }: { tenantId: string; processId: string },
): Promise<WatchedProcess | null> {
  const [row] = await runStatement<Row>(pool, tenantId, {
    name: 'watched-process',
    text: `SELECT ${COLUMNS} FROM process_states WHERE tenant_id = $1 AND process_id = $2`,
    values: [tenantId, processId],
  });
  return row === undefined ? null : watchedOf(row);
}

/** Those of the processes that are closed and belong to one of the executions. */
export async function closedAmong(
  pool: Pool,
  { processIds, workflowIds }: { processIds: readonly string[]; workflowIds: readonly string[] },
): Promise<WatchedProcess[]> {
  const rows = await runStatement<Row>(pool, ALL_TENANTS, {
    name: 'closed-processes',
    text: `SELECT ${COLUMNS} FROM process_states
      WHERE process_id = ANY($1::uuid[]) AND workflow_id = ANY($2::text[]) AND status = ANY($3::"ProcessStatus"[])`,
    values: [processIds, workflowIds, CLOSED_STATUSES],
  });
  return rows.map(watchedOf);
}

function watchedOf({ dueAt, updatedAt, retryAt, ...row }: Row): WatchedProcess {
  return {
    ...row,
    dueAt: dueAt?.getTime() ?? null,
    updatedAt: updatedAt.getTime(),
    retryAt: retryAt?.getTime() ?? null,
  };
}
