import type { Customer, PendingProfile, Profile } from '../../domain/profile/profile.ts';
import { statusesOf } from '../../domain/profile/statuses.ts';
import type { Tx } from '../../postgres/client.ts';
import type { Prisma, User } from '../../postgres/generated/client.ts';
import { NEXT_VERSION, enqueueUserChanged } from '../users/user-changes.ts';

/** The columns that the profile workflow owns. */
type ProfileColumns = Pick<
  User,
  | 'status'
  | 'profileCompletionStatus'
  | 'profileCompletionDeadline'
  | 'profileCompletedAt'
  | 'profileCompletionReminders'
  | 'remindersSettledUntil'
  | 'completionBeforeExpiry'
  | 'customerKind'
  | 'customerId'
  | 'companyId'
  | 'financialInstitutionId'
>;

/** The profile that a row describes. */
function profileOfRow(row: ProfileColumns & Pick<User, 'createdAt'>): Profile {
  if (row.status === 'suspended') {
    return { kind: 'suspended', former: row.profileCompletionStatus === 'completed' ? activeOf(row) : pendingOf(row) };
  }
  if (row.profileCompletionStatus === 'completed') return activeOf(row);
  if (row.profileCompletionStatus !== 'expired') return pendingOf(row);
  return {
    kind: 'expired',
    started: row.completionBeforeExpiry === 'in_progress',
    deadline: (row.profileCompletionDeadline ?? row.createdAt).getTime(),
    reminders: row.profileCompletionReminders,
  };
}

function pendingOf(row: ProfileColumns & Pick<User, 'createdAt'>): PendingProfile {
  return {
    kind: 'pending',
    started: row.profileCompletionStatus === 'in_progress',
    deadline: (row.profileCompletionDeadline ?? row.createdAt).getTime(),
    reminders: row.profileCompletionReminders,
    settledUntil: row.remindersSettledUntil.getTime(),
  };
}

function activeOf(row: ProfileColumns & Pick<User, 'createdAt'>): Extract<Profile, { kind: 'active' }> {
  const customer: Customer = { id: row.customerId ?? '', kind: row.customerKind ?? 'company' };
  return {
    kind: 'active',
    customer,
    completedAt: (row.profileCompletedAt ?? row.createdAt).getTime(),
    reminders: row.profileCompletionReminders,
  };
}

/** The columns that describe a profile. */
function profileColumns(profile: Profile): ProfileColumns {
  const inner = profile.kind === 'suspended' ? profile.former : profile;
  const customer = inner.kind === 'active' ? inner.customer : null;
  return {
    ...statusesOf(profile),
    profileCompletionDeadline: inner.kind === 'active' ? null : new Date(inner.deadline),
    profileCompletedAt: inner.kind === 'active' ? new Date(inner.completedAt) : null,
    profileCompletionReminders: inner.reminders,
    remindersSettledUntil: new Date(inner.kind === 'pending' ? inner.settledUntil : 0),
    completionBeforeExpiry: inner.kind === 'expired' ? (inner.started ? 'in_progress' : 'not_started') : null,
    customerKind: customer?.kind ?? null,
    customerId: customer?.id ?? null,
    companyId: customer?.kind === 'company' ? customer.id : null,
    financialInstitutionId: customer?.kind === 'financial_institution' ? customer.id : null,
  };
}

/**
 * Reads a user's profile and takes the row over for a new run: raises the revision, so that writes which an earlier run
 * still has under way are refused. Null: there is no such user, or it was deleted.
 */
export async function claimProfile(
  tx: Tx,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<{ profile: Profile; revision: number } | null> {
  const [row] = await tx.user.updateManyAndReturn({
    where: { tenantId, id: userId, deletedAt: null },
    data: { profileRevision: { increment: 1 } },
  });
  return row === undefined ? null : { profile: profileOfRow(row), revision: row.profileRevision };
}

/**
 * What became of a write under a revision. `repeated`: it replaced the write of an earlier attempt of the same run;
 * `superseded`: the row has a later revision, or another run's.
 */
export type WriteOutcome = 'written' | 'repeated' | 'superseded' | 'no_user';

/**
 * Writes a profile under its revision, unless the row has a later one or another run has written this one. `writer` is
 * the run that writes. The same run may write a revision again: an attempt whose answer got lost may have known fewer
 * commands than this one, so the later write replaces it. When what other services hold of the user changes with it,
 * the user's version is raised and the user is published again.
 */
export async function writeProfile(
  tx: Tx,
  {
    tenantId,
    userId,
    profile,
    revision,
    writer,
  }: { tenantId: string; userId: string; profile: Profile; revision: number; writer: string },
): Promise<WriteOutcome> {
  const [before] = await tx.$queryRaw<
    Pick<User, 'status' | 'customerId' | 'customerKind' | 'profileRevision' | 'profileWriter'>[]
  >`
    SELECT status::text, customer_id AS "customerId", customer_kind::text AS "customerKind",
      profile_revision AS "profileRevision",
      profile_writer AS "profileWriter"
    FROM users WHERE tenant_id = ${tenantId} AND id = ${userId}::uuid AND deleted_at IS NULL FOR UPDATE`;
  if (before === undefined) return 'no_user';
  const isRepeated = before.profileRevision === revision && before.profileWriter === writer;
  if (before.profileRevision >= revision && !isRepeated) return 'superseded';
  const columns = profileColumns(profile);
  const isCopyChanged =
    before.status !== columns.status ||
    before.customerId !== columns.customerId ||
    before.customerKind !== columns.customerKind;
  const data: Prisma.UserUpdateInput = {
    ...columns,
    profileRevision: revision,
    profileWriter: writer,
    ...(isCopyChanged ? NEXT_VERSION : {}),
  };
  const { version } = await tx.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data,
    select: { version: true },
  });
  if (isCopyChanged) await enqueueUserChanged(tx, { tenantId, userId, version });
  return isRepeated ? 'repeated' : 'written';
}
