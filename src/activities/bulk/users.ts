import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { countUsers, nextUsers } from '../../db/users/bulk-users.ts';
import type { UserBulkInput } from '../../workflows/bulk/bulk-command.messages.ts';
import { createProcessBulkActivities } from './processes.ts';
import type { BulkActivities } from '../../workflows/bulk/bulk-command.activities.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, reactivateSignal } from '../../workflows/profile/profile.messages.ts';
import {
  forceResyncSignal,
  USER_SYNC_WORKFLOW,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';

/** The activities of bulk operations. */
export function createBulkActivities({
  db,
  client,
  config,
}: {
  db: Db;
  client: Client;
  config: Config;
}): BulkActivities {
  return {
    ...createProcessBulkActivities({ db, client, config }),

    loadBulkSettings: async () => ({ ratePerSecond: config.BULK_RATE_PER_SECOND }),

    countUsers: (selection) => db.inTenant(selection.tenantId, (tx) => countUsers(tx, selection)),

    signalUsers: ({ tenantId, filter, command, afterUserId, limit }) =>
      db.inTenant(tenantId, async (tx) => {
        const { users, end } = await nextUsers(tx, { tenantId, filter, after: afterUserId, limit });
        await enqueueCalls(
          tx,
          users.map(({ id }) => callOf(command, { tenantId, userId: id })),
        );
        return { signalled: users.length, lastUserId: end };
      }),
  };
}

function callOf(command: UserBulkInput['command'], user: { tenantId: string; userId: string }): WorkflowCall {
  const call = { tenantId: user.tenantId, kind: 'signal_with_start', input: user } as const;
  return command.name === 'reactivate'
    ? {
        ...call,
        workflowType: PROFILE_WORKFLOW,
        workflowId: profileWorkflowId(user.userId),
        signal: { name: reactivateSignal.name, arg: { extensionDays: command.extensionDays } },
      }
    : {
        ...call,
        workflowType: USER_SYNC_WORKFLOW,
        workflowId: userSyncWorkflowId(user.userId),
        signal: { name: forceResyncSignal.name },
      };
}
