import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { z } from 'zod';
import { AUDIT_NAMES, AUDIT_WORKFLOWS } from '../../workflows/audits/audits.messages.ts';
import { priorityOf } from '../../workflows/runtime/priority.messages.ts';
import { callTemporal } from '../http/workflow-commands.ts';
import { route, type Route } from '../http/route.ts';

const run = route(
  {
    method: 'post',
    path: '/maintenance/audits/:name/run',
    operationId: 'runAudit',
    tag: 'Maintenance',
    roles: ['installation_operator'], // it works on every tenant's data
    summary: 'Runs an audit of all tenants now instead of at its next time',
    params: z.object({ name: z.enum(AUDIT_NAMES) }),
    statuses: { 202: 'The audit runs in the background; the Web UI shows its report' },
    answer: z.strictObject({ workflowId: z.string(), runId: z.string() }),
    errors: ['temporal_unavailable'],
    idempotent: true,
  },
  async ({ deps, params: { name }, effectId }) => {
    const workflowId = `${name}:manual:${effectId}`;
    const runId = await callTemporal(deps, async (client) => {
      try {
        const started = await client.workflow.start(AUDIT_WORKFLOWS[name], {
          workflowId,
          taskQueue: deps.config.TASK_QUEUE,
          args: [],
          priority: priorityOf('background'),
          workflowTaskTimeout: deps.config.WORKFLOW_TASK_TIMEOUT_MS,
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          staticSummary: `Audit "${name}", run by hand`,
        });
        return started.firstExecutionRunId;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return (await client.workflow.getHandle(workflowId).describe()).runId; // repeated with the same Idempotency-Key
      }
    });
    return { status: 202, body: { workflowId, runId } };
  },
);

/** What operators set off by hand. */
export const maintenanceRoutes: readonly Route[] = [run];
