import type { WorkflowOptions } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { PROCESS_TYPES } from '../domain/process/registry.ts';
import { processWorkflowType } from '../workflows/process/process.messages.ts';
import { PROFILE_WORKFLOW } from '../workflows/profile/profile.messages.ts';
import { priorityOf } from '../workflows/runtime/priority.messages.ts';
import { USER_SYNC_WORKFLOW } from '../workflows/user-sync/user-sync.messages.ts';

/**
 * How every workflow of a user and every process is started, whoever starts it: an open one is used, a closed one makes
 * room for a new run.
 */
export function startOptions(
  config: Pick<Config, 'TASK_QUEUE' | 'WORKFLOW_TASK_TIMEOUT_MS'>,
  { tenantId, workflowType, workflowId }: { tenantId: string; workflowType: string; workflowId: string },
) {
  return {
    workflowId,
    taskQueue: config.TASK_QUEUE,
    workflowTaskTimeout: config.WORKFLOW_TASK_TIMEOUT_MS,
    priority: priorityOf('awaited', tenantId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: SUMMARIES[workflowType] ?? workflowType,
  } as const satisfies WorkflowOptions;
}

const SUMMARIES: Readonly<Record<string, string>> = {
  [PROFILE_WORKFLOW]: 'Profile of a user: deadline, reminders, expiry, reactivation',
  [USER_SYNC_WORKFLOW]: 'Copies of a user in the other services: sent, confirmed, retried, reconciled',
  ...Object.fromEntries(Object.values(PROCESS_TYPES).map(({ type, summary }) => [processWorkflowType(type), summary])),
};
