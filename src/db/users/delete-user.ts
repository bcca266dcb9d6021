import { TOPICS, userEvent } from '../../events/user-events.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import type { Db } from '../../postgres/client.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, userDeletedSignal } from '../../workflows/profile/profile.messages.ts';
import {
  USER_SYNC_WORKFLOW,
  userDeletedSyncSignal,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import { anonymiseUser, type UserKey } from './users.ts';

/**
 * Anonymises the user and writes `user.deleted` and the signals that end its workflows, in one transaction; false:
 * there is no such user, or it was deleted.
 */
export async function deleteUser({ db }: { db: Db }, key: UserKey, now: Date): Promise<boolean> {
  return db.inTenant(key.tenantId, async (tx) => {
    await lockStreams(tx, [key.userId]);
    const deleted = await anonymiseUser(tx, key, now);
    if (deleted === undefined) return false;
    await enqueueMessages(tx, [
      userEvent({ topic: TOPICS.userDeleted, messageId: `${TOPICS.userDeleted}:${key.userId}`, user: deleted }),
    ]);
    await enqueueCalls(tx, deletionsOf(key));
    return true;
  });
}

function deletionsOf({ tenantId, userId }: UserKey): WorkflowCall[] {
  return [
    {
      tenantId,
      kind: 'signal',
      workflowType: PROFILE_WORKFLOW,
      workflowId: profileWorkflowId(userId),
      signal: { name: userDeletedSignal.name },
    },
    {
      tenantId,
      kind: 'signal',
      workflowType: USER_SYNC_WORKFLOW,
      workflowId: userSyncWorkflowId(userId),
      signal: { name: userDeletedSyncSignal.name },
    },
  ];
}
