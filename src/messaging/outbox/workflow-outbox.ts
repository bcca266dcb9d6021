import { currentTraceparent } from '../../telemetry/trace-context.ts';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import { runStatement, runSystemStatement } from '../../postgres/statement.ts';
import type { SystemDb } from '../../postgres/client.ts';
import type { SystemPool, TenantPool } from '../../postgres/pool.ts';

/** The relay's name as a source of dead letters. */
export const WORKFLOW_RELAY = 'pending-start';

/** NOTIFY channel that wakes the relay; a lost wake-up costs one polling interval. */
export const WORKFLOW_OUTBOX_CHANNEL = 'pending_start';

/** A call on a workflow, written in the transaction of the row that it belongs to and made by the relay. */
export interface WorkflowCall {
  readonly tenantId: string;
  /** `signal`: to an open workflow only; nothing is to be done when it is closed. */
  readonly kind: 'start' | 'signal_with_start' | 'signal';
  readonly workflowType: string;
  readonly workflowId: string;
  /** Input of the workflow, for the kinds that may start one. */
  readonly input?: object;
  readonly signal?: { readonly name: string; readonly arg?: object };
  /** W3C `traceparent` that it belongs to. */
  readonly traceparent?: string | undefined;
}

/**
 * SQL that writes the calls of parameter `$n`, made by `callsParameter`, in their order; without NOTIFY.
 */
export function enqueueCallsSql(n: number): string {
  return `INSERT INTO pending_starts (tenant_id, kind, workflow_type, workflow_id, input, signal_name, signal_arg,
    trace_context)
    SELECT tenant_id, kind::"PendingStartKind", workflow_type, workflow_id, input, signal_name, signal_arg,
      trace_context
    FROM ROWS FROM (jsonb_to_recordset($${n}::jsonb) AS (
      tenant_id text, kind text, workflow_type text, workflow_id text, input jsonb, signal_name text, signal_arg jsonb,
        trace_context text
    )) WITH ORDINALITY AS c
      (tenant_id, kind, workflow_type, workflow_id, input, signal_name, signal_arg, trace_context, place)`;
}

/** The parameter of `enqueueCallsSql`. A call belongs to the current span, unless it names another `traceparent`. */
export function callsParameter(calls: readonly WorkflowCall[]): string {
  return JSON.stringify(
    calls.map(({ tenantId, kind, workflowType, workflowId, input, signal, traceparent = currentTraceparent() }) => ({
      tenant_id: tenantId,
      kind,
      workflow_type: workflowType,
      workflow_id: workflowId,
      input,
      signal_name: signal?.name,
      signal_arg: signal?.arg,
      trace_context: traceparent,
    })),
  );
}

const ENQUEUE_CALLS = `WITH promised AS (${enqueueCallsSql(1)} ORDER BY place RETURNING 1)
  SELECT pg_notify('${WORKFLOW_OUTBOX_CHANNEL}', '')::text FROM promised LIMIT 1`;

/** Writes calls: once the transaction commits the relay makes them, at least once, in order for each workflow. */
export async function enqueueCalls(tx: AnyTx, calls: readonly WorkflowCall[]): Promise<void> {
  if (calls.length > 0) await sql(tx, ENQUEUE_CALLS, [callsParameter(calls)]);
}

/** A call as the relay claims it. */
export interface ClaimedCall {
  readonly tenantId: string;
  /** Decimal text, since it outgrows a double. */
  readonly position: string;
  readonly kind: WorkflowCall['kind'];
  readonly workflowType: string;
  readonly workflowId: string;
  readonly signalName: string | null;
  readonly signalArg: unknown;
  readonly input: unknown;
  readonly attempts: number;
  readonly traceContext: string | null;
}

/** A call that failed and is to be retried. */
export interface FailedCall {
  readonly row: ClaimedCall;
  readonly error: unknown;
}

const CLAIM_SECONDS = 10;
/** A call behind another of its workflow is looked at again so soon, unless the other's removal brings it forward. */
const BEHIND_SECONDS = 2;
const LONGEST_DELAY_MS = 5_000;

/**
 * Claims up to `limit` calls that are due, only the oldest of each workflow. A claim lapses after 10 s, so that another
 * process makes the calls of one that was killed. It reads the head of the queue alone, however many wait: what turns
 * out to be behind another call of its workflow leaves the head until that one is deleted.
 */
export async function claimCalls(pool: SystemPool, limit: number): Promise<ClaimedCall[]> {
  for (;;) {
    const judged = await runSystemStatement<ClaimedCall & { isBehind: boolean }>(pool, {
      name: 'claim-pending-starts',
      values: [limit],
      isOrdered: true,
      text: CLAIM,
    });
    const claimed = judged.filter(({ isBehind }) => !isBehind);
    if (claimed.length > 0 || judged.length < limit) return claimed;
  }
}

const CLAIM = `
  WITH due AS MATERIALIZED (
    SELECT tenant_id, position, workflow_id FROM pending_starts
    WHERE next_attempt_at <= now() ORDER BY next_attempt_at, position LIMIT $1 FOR UPDATE SKIP LOCKED
  ), judged AS MATERIALIZED (
    SELECT tenant_id, position, EXISTS (SELECT FROM pending_starts AS older
      WHERE older.workflow_id = due.workflow_id AND older.position < due.position) AS is_behind
    FROM due
  )
  UPDATE pending_starts AS c SET attempts = attempts + (NOT is_behind)::int,
    next_attempt_at = now()
      + make_interval(secs => CASE WHEN is_behind THEN ${BEHIND_SECONDS} ELSE ${CLAIM_SECONDS} END)
  FROM judged AS j
  WHERE c.tenant_id = j.tenant_id AND c.position = j.position
    AND c.tenant_id = ANY(ARRAY(SELECT tenant_id FROM judged)) AND c.position = ANY(ARRAY(SELECT position FROM judged))
  RETURNING c.tenant_id AS "tenantId", c.position::text, kind::text, workflow_type AS "workflowType",
    workflow_id AS "workflowId", signal_name AS "signalName", signal_arg AS "signalArg", input, attempts,
    trace_context AS "traceContext", is_behind AS "isBehind"`;

/** Puts claimed calls back for a later attempt, at most 5 s from now. */
export async function postponeCalls(pool: SystemPool, failed: readonly FailedCall[]): Promise<void> {
  if (failed.length === 0) return;
  const delayMs = ({ attempts }: ClaimedCall): number => Math.min(250 * 2 ** Math.min(attempts, 10), LONGEST_DELAY_MS);
  await runSystemStatement(pool, {
    name: 'postpone-pending-starts',
    text: `UPDATE pending_starts AS p SET last_error = f.error,
      next_attempt_at = now() + make_interval(secs => f.delay_ms / 1000)
      FROM unnest($1::text[], $2::bigint[], $3::text[], $4::float8[]) AS f (tenant_id, position, error, delay_ms)
      WHERE p.tenant_id = f.tenant_id AND p.position = f.position
        AND p.tenant_id = ANY($1::text[]) AND p.position = ANY($2::bigint[])`,
    values: [
      failed.map(({ row }) => row.tenantId),
      failed.map(({ row }) => row.position),
      failed.map(({ error }) => String(error).slice(0, 1_000)),
      failed.map(({ row }) => delayMs(row)),
    ],
  });
}

/** Deletes calls that were made; what comes next for their workflows is due at once. */
export async function removeCalls(pool: SystemPool, rows: readonly ClaimedCall[]): Promise<void> {
  if (rows.length === 0) return;
  await runSystemStatement(pool, {
    name: 'remove-pending-starts',
    isOrdered: true,
    text: `
      WITH removed AS (
        DELETE FROM pending_starts AS p USING unnest($1::text[], $2::bigint[]) AS done (tenant_id, position)
        WHERE p.tenant_id = done.tenant_id AND p.position = done.position
          AND p.tenant_id = ANY($1::text[]) AND p.position = ANY($2::bigint[])
        RETURNING p.workflow_id, p.position
      ), following AS MATERIALIZED (
        SELECT f.tenant_id, f.position FROM removed AS r CROSS JOIN LATERAL (
          SELECT tenant_id, position, next_attempt_at FROM pending_starts AS n
          WHERE n.workflow_id = r.workflow_id AND n.position > r.position ORDER BY n.position LIMIT 1
        ) AS f WHERE f.next_attempt_at > now()
      )
      UPDATE pending_starts AS p SET next_attempt_at = now() FROM following AS f
      WHERE p.tenant_id = f.tenant_id AND p.position = f.position
        AND p.tenant_id = ANY(ARRAY(SELECT tenant_id FROM following))
        AND p.position = ANY(ARRAY(SELECT position FROM following))`,
    values: [rows.map(({ tenantId }) => tenantId), rows.map(({ position }) => position)],
  });
}

/** Whether a call on the workflow waits in the outbox. */
export async function hasWaitingCalls(
  pool: TenantPool,
  { tenantId, workflowId }: { tenantId: string; workflowId: string },
): Promise<boolean> {
  const found = await runStatement(pool, tenantId, {
    name: 'has-waiting-calls',
    // Equal, but said as a range: only the index on the workflow has the rows in this order then.
    text: `SELECT FROM pending_starts WHERE workflow_id BETWEEN $1 AND $1 ORDER BY workflow_id, position LIMIT 1`,
    values: [workflowId],
    isOrdered: true,
  });
  return found.length > 0;
}

/** Age of the oldest call that is not carried out yet; 0: there is none. */
export async function oldestCallAgeMs(db: SystemDb): Promise<number> {
  const [row] = await db.acrossTenants(
    (tx) => tx.$queryRaw<{ ms: number }[]>`
    SELECT (extract(epoch FROM now() - created_at) * 1000)::float8 AS ms FROM pending_starts
    ORDER BY created_at LIMIT 1`,
  );
  return Math.max(0, row?.ms ?? 0);
}
