import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import type { Config } from '../../config/config.ts';
import type { WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { findUserBySubject, insertUser, type Contact, type UserKey, type UserRow } from './users.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { registerProfile } from '../../domain/profile/profile.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../workflows/user-sync/user-sync.messages.ts';
import type { SubjectHash } from '../../domain/users/subject-hash.ts';
import { COUNTED_MS, refusedUntil } from './former-users.ts';
import type { Db } from '../../postgres/client.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** Who registers, with which services; without them SYNC_SERVICES, now and when the setting changes. */
export interface Registration extends Contact {
  readonly tenantId: string;
  readonly authSubject: string;
  readonly servicesToSync: readonly string[] | undefined;
  readonly notificationChannels: readonly NotificationChannel[];
}

/** By which rules somebody registers. */
export interface RegistrationRules {
  readonly config: Pick<Config, 'PROFILE_COMPLETION_DEADLINE_DAYS' | 'MAX_DELETIONS_PER_DAY' | 'SYNC_SERVICES'>;
  readonly subjectHash: SubjectHash;
}

/** The user of the identity; or, when it deleted too many of late, when it may register again. */
export type Registered = { readonly user: UserRow; readonly isNew: boolean } | { readonly refusedUntil: Date };

/**
 * Writes the user and the starts of its workflows (workflow outbox), in one transaction; a known identity gets its user
 * again, and one whose user was deleted no later deadline than it had.
 */
export function registerUser(
  { db, ...rules }: RegistrationRules & { readonly db: Db },
  registration: Registration,
  now: number,
): Promise<Registered> {
  return registerUserAt(db.pool, rules, registration, now);
}

/** The same, or as a part of the transaction at work, which row-level security confines to the tenant. */
export async function registerUserAt(
  at: TenantPool | pg.ClientBase,
  { config, subjectHash }: RegistrationRules,
  { servicesToSync, ...registration }: Registration,
  now: number,
): Promise<Registered> {
  const { tenantId } = registration;
  const profile = registerProfile({ now, deadlineDays: config.PROFILE_COMPLETION_DEADLINE_DAYS });
  const userId = randomUUIDv7();
  const former = {
    subjectHash: subjectHash(registration),
    maxDeletions: config.MAX_DELETIONS_PER_DAY,
    countedAfter: new Date(now - COUNTED_MS),
  };
  const created = await insertUser(
    at,
    {
      ...registration,
      userId,
      profileCompletionDeadline: new Date(profile.deadline),
      remindersSettledUntil: new Date(profile.settledUntil),
      services: servicesToSync ?? config.SYNC_SERVICES,
      defaultServices: servicesToSync === undefined,
    },
    former,
    startsOf({ tenantId, userId }),
  );
  if (created !== undefined) return { user: created, isNew: true };
  const known = await findUserBySubject(at, registration);
  if (known !== undefined) return { user: known, isNew: false };
  const until = await refusedUntil(at, tenantId, former);
  if (until === undefined) throw new Error('the user of an identity is gone within its registration');
  return { refusedUntil: until };
}

function startsOf({ tenantId, userId }: UserKey): WorkflowCall[] {
  const input = { tenantId, userId };
  return [
    { tenantId, kind: 'start', workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId), input },
    { tenantId, kind: 'start', workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId), input },
  ];
}
