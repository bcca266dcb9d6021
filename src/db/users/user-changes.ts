import type { UserChangedPayload, UserDeletedPayload } from '../../workflows/user-sync/user-sync.messages.ts';
import {
  USER_SYNC_WORKFLOW,
  userChangedSignal,
  userDeletedSyncSignal,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import type { Tx } from '../../postgres/client.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';

/**
 * Columns of a change that services must confirm: the version is raised, and the status is `pending` in the same write.
 */
export const NEXT_VERSION = { version: { increment: 1 }, syncStatus: 'pending' } as const;

/**
 * Queues the signal of the new version to the user's `userSync` workflow, in the transaction that wrote the version.
 */
export async function enqueueUserChanged(
  tx: Tx,
  { tenantId, userId, ...arg }: { tenantId: string; userId: string } & UserChangedPayload,
): Promise<void> {
  await enqueueCalls(tx, [callOnCopies({ tenantId, userId }, { name: userChangedSignal.name, arg })]);
}

/** The call by which the user's services are made to confirm its deletion. */
export function deletionOfCopies({
  tenantId,
  userId,
  ...arg
}: { tenantId: string; userId: string } & UserDeletedPayload): WorkflowCall {
  return callOnCopies({ tenantId, userId }, { name: userDeletedSyncSignal.name, arg });
}

function callOnCopies(
  { tenantId, userId }: { tenantId: string; userId: string },
  signal: { name: string; arg: object },
): WorkflowCall {
  return {
    tenantId,
    kind: 'signal_with_start',
    workflowType: USER_SYNC_WORKFLOW,
    workflowId: userSyncWorkflowId(userId),
    input: { tenantId, userId },
    signal,
  };
}
