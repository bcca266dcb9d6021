import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import {
  BULK_WORKFLOW,
  bulkProgressQuery,
  bulkWorkflowId,
  type BulkInput,
  type UserBulkInput,
} from '../../workflows/bulk/bulk-command.messages.ts';
import { callTemporal } from '../http/workflow-commands.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { Problem } from '../http/problem.ts';
import { extensionDays } from '../profile/profile-states.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, profileCompletionStatus, syncStatus, userStatus } from '../http/values.ts';

const filter = z
  .strictObject({
    status: userStatus.optional(),
    profileCompletionStatus: profileCompletionStatus.optional(),
    syncStatus: syncStatus.optional(),
    userIds: z.array(id).min(1).max(1_000).optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), 'must name at least one field')
  .meta({ id: 'UserFilter', description: 'Users that match every given field' });

/** Answer to a bulk operation. */
export const bulkAccepted = z.strictObject({
  operationId: id,
  href: z.string().meta({ description: 'Where the progress is' }),
});
const common = {
  method: 'post',
  tag: 'Bulk operations',
  statuses: { 202: 'The operation goes on in the background' },
  answer: bulkAccepted,
  errors: ['temporal_unavailable'] as readonly ErrorCode[],
  idempotent: true,
} as const;

const reactivate = route(
  {
    ...common,
    path: '/users/state-management/bulk/reactivate',
    operationId: 'bulkReactivate',
    roles: ['admin'],
    summary: 'Reactivates the expired profiles among the users that match',
    body: z.strictObject({ filter, extensionDays }),
  },
  (call) => start(call, { name: 'reactivate', extensionDays: call.body.extensionDays }),
);

const resync = route(
  {
    ...common,
    path: '/users/state-management/bulk/resync',
    operationId: 'bulkResync',
    roles: ['operator', 'admin'],
    summary: 'Sends the users that match to their services again',
    body: z.strictObject({ filter }),
  },
  (call) => start(call, { name: 'forceResync' }),
);

const progress = route(
  {
    method: 'get',
    path: '/users/state-management/bulk/:operationId',
    operationId: 'bulkProgress',
    tag: 'Bulk operations',
    roles: ['operator', 'admin'],
    summary: 'How far a bulk operation is',
    params: z.object({ operationId: id }),
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
  },
  async ({ deps, caller: { tenantId }, params: { operationId } }) => {
    try {
      const { state, matched, signalled } = await callTemporal(deps, (client) =>
        client.workflow.getHandle(bulkWorkflowId({ tenantId, operationId })).query(bulkProgressQuery),
      );
      return { status: 200, body: { operationId, state, matched, signalled } };
    } catch (error) {
      throw error instanceof WorkflowNotFoundError ? new Problem('bulk_operation_not_found') : error;
    }
  },
);

async function start(
  call: Call<unknown, unknown, { filter: z.output<typeof filter> }>,
  command: UserBulkInput['command'],
) {
  const {
    caller: { tenantId, subject },
    body,
  } = call;
  const { status, profileCompletionStatus: completion, syncStatus: sync, userIds } = body.filter;
  return startBulk(call, {
    tenantId,
    requestedBy: subject,
    command,
    filter: {
      ...(status === undefined ? {} : { status }),
      ...(completion === undefined ? {} : { profileCompletionStatus: completion }),
      ...(sync === undefined ? {} : { syncStatus: sync }),
      ...(userIds === undefined ? {} : { userIds }),
    },
  });
}

/** Starts a bulk operation, once for its `Idempotency-Key`, and answers where its progress is. */
export async function startBulk({ deps, effectId: operationId }: Pick<Call, 'deps' | 'effectId'>, input: BulkInput) {
  const { tenantId, command } = input;
  await callTemporal(deps, (client) =>
    client.workflow.start(BULK_WORKFLOW, {
      workflowId: bulkWorkflowId({ tenantId, operationId }),
      taskQueue: deps.config.TASK_QUEUE,
      args: [input],
      workflowTaskTimeout: deps.config.WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `Bulk ${command.name}`,
    }),
  ).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; // repeated with the same Idempotency-Key
  });
  const href = `/users/state-management/bulk/${operationId}`;
  return { status: 202, body: { operationId, href }, headers: { Location: href } };
}

/** Commands to many users at once. */
export const bulkRoutes: readonly Route[] = [reactivate, resync, progress];
