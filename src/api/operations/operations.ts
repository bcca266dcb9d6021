import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import {
  BULK_WORKFLOW,
  bulkProgressQuery,
  bulkWorkflowId,
  type BulkInput,
} from '../../workflows/bulk/bulk-command.messages.ts';
import { priorityOf } from '../../workflows/runtime/priority.messages.ts';
import { callTemporal } from '../http/workflow-commands.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';

/** Answer to a bulk operation. */
export const bulkAccepted = z.strictObject({
  operationId: id,
  href: z.string().meta({ description: 'Where the progress is' }),
});

const reading = {
  method: 'get',
  tag: 'Bulk operations',
  roles: ['operator', 'admin'],
  statuses: { 200: 'The progress' },
  errors: ['bulk_operation_not_found', 'temporal_unavailable'],
  answer: z.strictObject({
    operationId: id,
    state: z.enum(['running', 'completed']),
    matched: z.number().int(),
    signalled: z.number().int().meta({
      description: "Users or processes that got the command; who can't follow it says so in its workflow's state",
    }),
  }),
} as const;

const progress = route(
  {
    ...reading,
    path: '/operations/:id',
    operationId: 'getOperation',
    summary: 'How far a bulk operation is, on users or on processes',
    params: z.object({ id }),
  },
  (call) => progressOf(call, call.params.id),
);

const formerProgress = route(
  {
    ...reading,
    path: '/users/state-management/bulk/:operationId',
    operationId: 'bulkProgress',
    summary: 'How far a bulk operation is',
    isDeprecated: true,
    params: z.object({ operationId: id }),
  },
  (call) => progressOf(call, call.params.operationId),
);

async function progressOf({ deps, caller: { tenantId } }: Call, operationId: string) {
  try {
    const { state, matched, signalled } = await callTemporal(deps, (client) =>
      client.workflow.getHandle(bulkWorkflowId({ tenantId, operationId })).query(bulkProgressQuery),
    );
    return { status: 200, body: { operationId, state, matched, signalled } };
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? new Problem('bulk_operation_not_found') : error;
  }
}

/** Starts a bulk operation, once for its `Idempotency-Key`, and answers where its progress is. */
export async function startBulk({ deps, effectId: operationId }: Pick<Call, 'deps' | 'effectId'>, input: BulkInput) {
  const { tenantId, command } = input;
  await callTemporal(deps, (client) =>
    client.workflow.start(BULK_WORKFLOW, {
      workflowId: bulkWorkflowId({ tenantId, operationId }),
      taskQueue: deps.config.TASK_QUEUE,
      args: [input],
      priority: priorityOf('background', tenantId),
      workflowTaskTimeout: deps.config.WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `Bulk ${command.name}`,
    }),
  ).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; // repeated with the same Idempotency-Key
  });
  const href = `/operations/${operationId}`;
  return { status: 202, body: { operationId, href }, headers: { Location: href } };
}

/** How far operations are that go on in the background. */
export const operationRoutes: readonly Route[] = [progress, formerProgress];
