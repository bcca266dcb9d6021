import type { WorkflowExecutionInfo } from '@temporalio/client';
import { grpcCodeOf } from '../../temporal/errors.ts';
import { BULK_WORKFLOW } from '../../workflows/bulk/bulk-command.messages.ts';
import type { Removal } from './delete-in-batches.ts';

/** Under which the clean-up reports what Temporal was told to delete. */
export const EXECUTIONS = 'executions';

const IDS_AT_A_TIME = 100;
const CALL_DEADLINE_MS = 20_000;
const GRPC_NOT_FOUND = 5;

/**
 * Has Temporal delete what is closed of these workflows, every run with its history, which holds whatever was typed as
 * the payload of a command. Answers the workflows of which Temporal had any run, open or closed: a deletion takes
 * effect later, so that only a clean-up that finds none knows that nothing is left.
 */
export async function removeExecutions(removal: Removal, workflowIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let start = 0; start < workflowIds.length; start += IDS_AT_A_TIME) {
    const ids = workflowIds.slice(start, start + IDS_AT_A_TIME).map((id) => `"${id}"`);
    for (const { workflowId } of await removeClosed(removal, `WorkflowId IN (${ids.join(', ')})`))
      found.add(workflowId);
  }
  return found;
}

/** Has Temporal delete bulk operations that ended before the answers that are kept: their input holds the reason. */
export async function removeFormerBulks(removal: Removal): Promise<void> {
  const { TASK_QUEUE, IDEMPOTENCY_KEY_HOURS } = removal.config;
  const before = new Date(Date.now() - IDEMPOTENCY_KEY_HOURS * 3_600_000).toISOString();
  await removeClosed(
    removal,
    `WorkflowType = "${BULK_WORKFLOW}" AND TaskQueue = "${TASK_QUEUE}" AND CloseTime < "${before}"`,
  );
}

/** Answers all that matched, also what is open. */
async function removeClosed({ client, count }: Removal, query: string): Promise<readonly WorkflowExecutionInfo[]> {
  const { namespace } = client.options;
  const found: WorkflowExecutionInfo[] = [];
  await client.withDeadline(Date.now() + CALL_DEADLINE_MS, async () => {
    for await (const execution of client.workflow.list({ query })) found.push(execution);
  });
  count(EXECUTIONS, 0);
  for (const { workflowId, runId, status } of found) {
    if (status.name === 'RUNNING') continue;
    await client
      .withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
        client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } }),
      )
      .catch((error: unknown) => {
        if (grpcCodeOf(error) !== GRPC_NOT_FOUND) throw error;
      });
    count(EXECUTIONS, 1);
  }
  return found;
}
