import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { findUserBySubject, insertUser, type Contact, type UserKey, type UserRow } from './users.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { registerProfile } from '../../domain/profile/profile.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../workflows/user-sync/user-sync.messages.ts';
import type { Db } from '../../postgres/client.ts';

/** Who registers, with which services; without them SYNC_SERVICES, now and when the setting changes. */
export interface Registration extends Contact {
  readonly tenantId: string;
  readonly authSubject: string;
  readonly servicesToSync: readonly string[] | undefined;
  readonly notificationChannels: readonly NotificationChannel[];
}

type Writer = {
  readonly db: Db;
  readonly config: Pick<Config, 'PROFILE_COMPLETION_DEADLINE_DAYS' | 'SYNC_SERVICES'>;
};

/**
 * Writes the user and the starts of its workflows (workflow outbox), in one transaction; a known identity gets its user
 * again.
 */
export async function registerUser(
  { db, config }: Writer,
  { servicesToSync, ...registration }: Registration,
  now: number,
): Promise<{ user: UserRow; isNew: boolean }> {
  const { tenantId } = registration;
  const profile = registerProfile({ now, deadlineDays: config.PROFILE_COMPLETION_DEADLINE_DAYS });
  const userId = randomUUID();
  const created = await insertUser(
    db.pool,
    {
      ...registration,
      userId,
      profileCompletionDeadline: new Date(profile.deadline),
      remindersSettledUntil: new Date(profile.settledUntil),
      services: servicesToSync ?? config.SYNC_SERVICES,
      defaultServices: servicesToSync === undefined,
    },
    startsOf({ tenantId, userId }),
  );
  if (created !== undefined) return { user: created, isNew: true };
  const known = await findUserBySubject(db.pool, registration);
  if (known === undefined) throw new Error('the user of an identity is gone within its registration');
  return { user: known, isNew: false };
}

function startsOf({ tenantId, userId }: UserKey): WorkflowCall[] {
  const input = { tenantId, userId };
  return [
    { tenantId, kind: 'start', workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId), input },
    { tenantId, kind: 'start', workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId), input },
  ];
}
