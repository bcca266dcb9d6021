import type { WatchedRow } from '../../domain/process/watch.ts';
import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import { runStatement, runSystemStatement } from '../../postgres/statement.ts';
import type { SystemPool, TenantPool } from '../../postgres/pool.ts';

/** A process as the watchdog reads it. */
export interface WatchedProcess extends WatchedRow {
  readonly tenantId: string;
  readonly processId: string;
  readonly type: string;
  readonly workflowId: string;
}

/** Place in the list of processes that are not over: the last one that was seen, by the time when it began. */
export interface WatchCursor {
  readonly after: { readonly startedAt: number; readonly processId: string } | null;
}

/** Where the list begins. */
export const FIRST_UNMOVED: WatchCursor = { after: null };
const NO_ID = '00000000-0000-0000-0000-000000000000';
/** So many rows are looked at, at most, for each that a page may have. */
const LOOKED_AT = 10;

const COLUMNS = `tenant_id AS "tenantId", process_id::text AS "processId", process_type AS type,
  workflow_id AS "workflowId", status::text,
  current_step AS "currentStep", due_at AS "dueAt", updated_at AS "updatedAt", attempts, last_error AS "lastError",
  retry_at AS "retryAt"`;

// As the index has them.
const CLOSED = CLOSED_STATUSES.map((status) => `'${status}'`).join(', ');

type Row = Omit<WatchedProcess, 'dueAt' | 'updatedAt' | 'retryAt'> & {
  readonly dueAt: Date | null;
  readonly updatedAt: Date;
  readonly retryAt: Date | null;
};

type UnmovedRow = Row & { readonly startedAt: Date; readonly isUnmoved: boolean; readonly isLast: boolean };

/**
 * One page, over all tenants, of open processes that have not moved for `stuckAfterMs`; `next` null: it was the last
 * page.
 * It goes by the time of the start, which no step changes: an index on the last change would be written with each.
 */
export async function unmovedProcesses(
  pool: SystemPool,
  { cursor: { after }, stuckAfterMs, limit }: { cursor: WatchCursor; stuckAfterMs: number; limit: number },
): Promise<{ processes: WatchedProcess[]; next: WatchCursor | null }> {
  const rows = await runSystemStatement<UnmovedRow>(pool, {
    name: 'unmoved-processes',
    // The statuses as the index has them: no operator of theirs is leakproof, so below a policy none would be used.
    text: `
      WITH seen AS MATERIALIZED (
        SELECT *, row_number() OVER (ORDER BY started_at, process_id) AS place FROM (
          SELECT * FROM process_states
          WHERE status IN ('running', 'waiting', 'compensating', 'compensation_failed', 'step_failed')
            AND (started_at, process_id) > ($1::timestamptz, $2::uuid)
          ORDER BY started_at, process_id LIMIT $3::int * ${LOOKED_AT}
        ) AS open
      ), unmoved AS (
        SELECT * FROM seen WHERE updated_at < now() - make_interval(secs => $4::float8 / 1000) ORDER BY place LIMIT $3
      ), last AS (
        SELECT CASE WHEN (SELECT count(*) FROM unmoved) = $3 THEN (SELECT max(place) FROM unmoved)
          WHEN (SELECT count(*) FROM seen) = $3::int * ${LOOKED_AT} THEN (SELECT max(place) FROM seen) END AS place
      )
      SELECT ${COLUMNS}, started_at AS "startedAt", seen.place IN (SELECT place FROM unmoved) AS "isUnmoved",
        seen.place IN (SELECT place FROM last) AS "isLast"
      FROM seen WHERE seen.place IN (SELECT place FROM unmoved UNION ALL SELECT place FROM last)
      ORDER BY seen.place`,
    values: [new Date(after?.startedAt ?? 0), after?.processId ?? NO_ID, limit, stuckAfterMs],
    isOrdered: true,
  });
  const last = rows.find(({ isLast }) => isLast);
  return {
    processes: rows.filter(({ isUnmoved }) => isUnmoved).map(unmovedOf),
    next: last === undefined ? null : { after: { startedAt: last.startedAt.getTime(), processId: last.processId } },
  };
}

/** One process; null: there is no such row. */
export async function findWatched(
  pool: TenantPool,
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
  pool: SystemPool,
  { processIds, workflowIds }: { processIds: readonly string[]; workflowIds: readonly string[] },
): Promise<WatchedProcess[]> {
  const rows = await runSystemStatement<Row>(pool, {
    name: 'closed-processes',
    text: `SELECT ${COLUMNS} FROM process_states
      WHERE process_id = ANY($1::uuid[]) AND workflow_id = ANY($2::text[]) AND status IN (${CLOSED})`,
    values: [processIds, workflowIds],
  });
  return rows.map(watchedOf);
}

function unmovedOf(row: UnmovedRow): WatchedProcess {
  const { startedAt: _, isUnmoved: __, isLast: ___, ...watched } = row;
  return watchedOf(watched);
}

function watchedOf({ dueAt, updatedAt, retryAt, ...row }: Row): WatchedProcess {
  return {
    ...row,
    dueAt: dueAt?.getTime() ?? null,
    updatedAt: updatedAt.getTime(),
    retryAt: retryAt?.getTime() ?? null,
  };
}
