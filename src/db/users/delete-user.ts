import { TOPICS, userEvent } from '../../events/user-events.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import type { SubjectHash } from '../../domain/users/subject-hash.ts';
import type { Db } from '../../postgres/client.ts';
import type { AnyTx } from '../../postgres/sql.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, userDeletedSignal } from '../../workflows/profile/profile.messages.ts';
import { deletionOfCopies } from './user-changes.ts';
import { anonymiseUser, type UserKey } from './users.ts';

/**
 * Anonymises the user, and writes `user.deleted` and the signals that end its profile and have its services confirm the
 * deletion, in one transaction; false: there is no such user, or it was deleted.
 */
export async function deleteUser(
  { db, subjectHash }: { db: Db; subjectHash: SubjectHash },
  key: UserKey,
  now: Date,
): Promise<boolean> {
  return db.inTenant(key.tenantId, async (tx) => {
    await lockStreams(tx, [key.userId]);
    return deleteUserIn(tx, { key, subjectHash, now });
  });
}

/** The same as a part of a transaction that has locked the stream of the user's messages. */
export async function deleteUserIn(
  tx: AnyTx,
  { key, subjectHash, now }: { readonly key: UserKey; readonly subjectHash: SubjectHash; readonly now: Date },
): Promise<boolean> {
  const deleted = await anonymiseUser(tx, key, { now, subjectHash });
  if (deleted === undefined) return false;
  await enqueueMessages(tx, [
    userEvent({
      topic: TOPICS.userDeleted,
      messageId: `${TOPICS.userDeleted}:${key.userId}`,
      user: deleted,
      services: deleted.services.map(({ service }) => service),
    }),
  ]);
  await enqueueCalls(tx, [
    {
      tenantId: key.tenantId,
      kind: 'signal',
      workflowType: PROFILE_WORKFLOW,
      workflowId: profileWorkflowId(key.userId),
      signal: { name: userDeletedSignal.name },
    },
    deletionOfCopies({ ...key, version: deleted.version, publishedAt: now.toISOString() }),
  ]);
  return true;
}
