import { randomUUID } from 'node:crypto';
import { TOPICS, userEvent } from '../../events/user-events.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import type { Config } from '../../config/config.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { enqueueUserChanged } from './user-changes.ts';
import {
  anonymiseUser,
  changeContact,
  findUser,
  findUserBySubject,
  insertUser,
  type Contact,
  type ContactChanges,
  type UserKey,
  type UserRow,
} from './users.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { registerProfile } from '../../domain/profile/profile.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, userDeletedSignal } from '../../workflows/profile/profile.messages.ts';
import {
  USER_SYNC_WORKFLOW,
  userDeletedSyncSignal,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
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

/**
 * Writes contact fields and channels and the signal by which the user's services are sent the change, in one
 * transaction; undefined: there is no such user.
 */
export async function changeUser(
  { db }: Pick<Writer, 'db'>,
  key: UserKey,
  changes: ContactChanges,
): Promise<UserRow | undefined | 'phone_required'> {
  return db.inTenant(key.tenantId, async (tx) => {
    const version = await changeContact(tx, key, changes);
    if (version === 'phone_required') return version;
    if (typeof version === 'number') await enqueueUserChanged(tx, { ...key, version });
    return findUser(tx, key);
  });
}

/**
 * Anonymises the user and writes `user.deleted` and the signals that end its workflows, in one transaction; false:
 * there is no such user, or it was deleted.
 */
export async function deleteUser({ db }: Pick<Writer, 'db'>, key: UserKey, now: Date): Promise<boolean> {
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

function startsOf({ tenantId, userId }: UserKey): WorkflowCall[] {
  const input = { tenantId, userId };
  return [
    { tenantId, kind: 'start', workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId), input },
    { tenantId, kind: 'start', workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId), input },
  ];
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
