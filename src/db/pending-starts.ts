import { currentTraceparent } from '../telemetry/trace-context.ts';
import type { PendingStart } from './generated/client.ts';
import type { Tx } from './client.ts';

/** Channel that wakes the relay; a lost wake-up costs one polling interval, nothing else. */
export const PENDING_START_CHANNEL = 'pending_start';

/** A call on a workflow, promised in the transaction of the row it belongs to and carried out by the relay. */
export interface PromisedCall {
  readonly tenantId: string;
  /** `signal`: to an open workflow only; nothing is to be done when it is closed. */
  readonly kind: 'start' | 'signal_with_start' | 'signal';
  readonly workflowType: string;
  readonly workflowId: string;
  /** Input of the workflow, for the kinds that may start one. */
  readonly input?: object;
  readonly signal?: { readonly name: string; readonly arg?: object };
}

/** Promises the calls: they are carried out at least once, in order for each workflow, once the transaction commits. */
export async function promiseCalls(tx: Tx, calls: readonly PromisedCall[]): Promise<void> {
  if (calls.length === 0) return;
  await tx.pendingStart.createMany({
    data: calls.map(({ tenantId, kind, workflowType, workflowId, input, signal }) => ({
      tenantId, kind, workflowType, workflowId, traceContext: currentTraceparent() ?? null,
      ...(input === undefined ? {} : { input }),
      ...(signal === undefined ? {} : { signalName: signal.name }),
      ...(signal?.arg === undefined ? {} : { signalArg: signal.arg }),
    })),
  });
  await tx.$queryRaw`SELECT pg_notify(${PENDING_START_CHANNEL}, '')::text`;
}

/** A promised call as it is stored. */
export type PendingStartRow = PendingStart;

const CLAIM_SECONDS = 10;
const LONGEST_DELAY_MS = 5_000;

/**
 * Takes up to `limit` calls that are due, only the oldest of each workflow. A claim lapses after 10 s, so that what a
 * killed process had in hand is carried out by another.
 */
export async function claimPendingStarts(tx: Tx, limit: number): Promise<PendingStartRow[]> {
  return tx.$queryRaw<PendingStartRow[]>`
    UPDATE pending_starts SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => ${CLAIM_SECONDS})
    WHERE (tenant_id, position) IN (
      SELECT tenant_id, position FROM pending_starts AS head
      WHERE next_attempt_at <= now()
        AND NOT EXISTS (SELECT FROM pending_starts AS older WHERE older.workflow_id = head.workflow_id AND older.position < head.position)
      ORDER BY position LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id AS "tenantId", position, kind::text, workflow_type AS "workflowType", workflow_id AS "workflowId",
      signal_name AS "signalName", signal_arg AS "signalArg", input, attempts, next_attempt_at AS "nextAttemptAt",
      last_error AS "lastError", trace_context AS "traceContext", created_at AS "createdAt"`;
}

/** Puts a claimed call back for a later attempt, at most 5 s from now. */
export async function postponePendingStart(tx: Tx, { tenantId, position, attempts }: PendingStartRow, error: string): Promise<void> {
  const delayMs = Math.min(250 * 2 ** Math.min(attempts, 10), LONGEST_DELAY_MS);
  await tx.$executeRaw`
    UPDATE pending_starts SET last_error = ${error.slice(0, 1_000)}, next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000})
    WHERE tenant_id = ${tenantId} AND position = ${position}`;
}

/** Forgets a call that was carried out. */
export async function removePendingStart(tx: Tx, { tenantId, position }: PendingStartRow): Promise<void> {
  await tx.pendingStart.deleteMany({ where: { tenantId, position } });
}

/** Whether a call on the workflow is promised and not yet carried out. */
export async function hasPromisedCalls(tx: Tx, workflowId: string): Promise<boolean> {
  return await tx.pendingStart.count({ where: { workflowId }, take: 1 }) > 0;
}
