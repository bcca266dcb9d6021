import type { UserChangedPayload } from '../../workflows/user-sync/user-sync.messages.ts';
import {
  USER_SYNC_WORKFLOW,
  userChangedSignal,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import type { Tx } from '../../postgres/client.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';

/**
 * A change of the copy that services hold: they have not confirmed the new version, and the row says so from the start.
 */
export const NEXT_VERSION = { version: { increment: 1 }, syncStatus: 'pending' } as const;

/** Promises that the user's synchronisation hears of the new version, in the transaction that made it. */
export async function enqueueUserChanged(
  tx: Tx,
  { tenantId, userId, ...arg }: { tenantId: string; userId: string } & UserChangedPayload,
): Promise<void> {
  await enqueueCalls(tx, [
    {
      tenantId,
      kind: 'signal_with_start',
      workflowType: USER_SYNC_WORKFLOW,
      workflowId: userSyncWorkflowId(userId),
      input: { tenantId, userId },
      signal: { name: userChangedSignal.name, arg },
    },
  ]);
}
