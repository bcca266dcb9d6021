import { alertChannels } from '../../alerts/channels.ts';
import { clearAlert, raiseAlert } from '../../db/alerts/raise-alert.ts';
import type { AlertKind } from '../../domain/alerts/codes.ts';
import { blockedBy, type Diagnosis } from '../../domain/process/watch.ts';
import type { SystemDb } from '../../postgres/client.ts';
import { observeExecution } from './describe-execution.ts';
import type { WatchdogDeps } from './recover-process.ts';

/** The open workflow of a user; `behindSince`: since when its row waits for it, in milliseconds since the epoch. */
export interface WatchedWorkflow {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly behindSince: number | null;
}

const KIND = 'workflow_stuck' satisfies AlertKind;

/** Looks at the workflow of a user, and alerts while only a person can help; takes the alert back otherwise. */
export async function watchWorkflow(deps: WatchdogDeps, watched: WatchedWorkflow): Promise<Diagnosis | null> {
  const found = await diagnose(deps, watched);
  const { tenantId, workflowId } = watched;
  await deps.db.inTenant(tenantId, async (tx) => {
    if (found === null) return clearAlert(tx, { tenantId, kind: KIND, key: workflowId });
    await raiseAlert(
      tx,
      {
        tenantId,
        kind: KIND,
        key: workflowId,
        severity: 'critical',
        summary: `The workflow ${workflowId} does not move: ${found.detail}`,
        details: { workflowId, classed: found.classed },
      },
      alertChannels(deps.config),
    );
  });
  return found;
}

/** The workflows of one type that an open alert tells of. */
export async function alertedWorkflows({ system }: { system: SystemDb }, idPrefix: string): Promise<WatchedWorkflow[]> {
  const start = `${KIND}:`;
  const alerts = await system.acrossTenants((tx) =>
    tx.alert.findMany({
      where: { kind: KIND, openKey: { startsWith: start + idPrefix } },
      select: { tenantId: true, openKey: true },
    }),
  );
  return alerts.map(({ tenantId, openKey }) => ({
    tenantId,
    workflowId: (openKey ?? '').slice(start.length),
    behindSince: null,
  }));
}

/** One that is gone needs nobody here: the audit starts it again. */
async function diagnose(deps: WatchdogDeps, { workflowId, behindSince }: WatchedWorkflow): Promise<Diagnosis | null> {
  const execution = await observeExecution(deps, workflowId);
  if (!execution.isOpen) return null;
  const now = Date.now();
  const stuckAfterMs = deps.config.PROCESS_STUCK_AFTER_MS;
  const blocked = blockedBy({ now, stuckAfterMs }, execution);
  if (blocked !== null || behindSince === null) return blocked;
  const behindMs = now - Math.max(behindSince, execution.startedAt);
  if (behindMs < stuckAfterMs || execution.isPaused) return null;
  const seconds = Math.round(behindMs / 1_000);
  return { classed: 'stalled', detail: `Its row has waited for it for ${seconds} s.` };
}
