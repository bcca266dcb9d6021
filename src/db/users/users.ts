import type pg from 'pg';
import type { Caller } from '../../auth/roles.ts';
import type { UserStatus } from '../../domain/profile/statuses.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import type { SubjectHash } from '../../domain/users/subject-hash.ts';
import { rememberFormer, type FormerRule } from './former-users.ts';
import type { Tx } from '../../postgres/client.ts';
import { forgetIdempotencyOf } from '../http/idempotency-keys.ts';
import { NEXT_VERSION } from './user-changes.ts';
import { deleteUserNotifications } from '../notifications/notifications.ts';
import { ADDRESSED_BY_SERVICES, FORGET_ADDRESSES, FORGET_ADDRESSES_BY_SERVICES } from '../orders/erase-addresses.ts';
import { Prisma, type User, type UserSyncService } from '../../postgres/generated/client.ts';
import { callsParameter, enqueueCallsSql, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { columnsOf, sql, type AnyTx } from '../../postgres/sql.ts';
import { runStatement, runStatementIn } from '../../postgres/statement.ts';
import type { TenantPool } from '../../postgres/pool.ts';

const WITH_SERVICES = { services: { orderBy: { service: 'asc' } } } as const satisfies Prisma.UserInclude;

/** A user's row with what each service holds of it. */
export type UserRow = Prisma.UserGetPayload<{ include: typeof WITH_SERVICES }>;

/** Which user of which tenant. */
export interface UserKey {
  readonly tenantId: string;
  readonly userId: string;
}

/** The part of a caller's own user that decides what it may do. */
export interface OwnUser {
  readonly id: string;
  readonly status: UserStatus;
  readonly customerId: string | null;
}

/** The contact fields, which the API owns. */
export interface Contact {
  readonly email: string;
  readonly name: string | null;
  readonly locale: string;
  readonly phone: string | null;
}

/** What a `PATCH` may change: the contact fields, and how the user wants to be told. */
export interface ContactChanges extends Partial<Contact> {
  readonly notificationChannels?: readonly NotificationChannel[];
}

/** A user to be registered, with the state its workflows begin with. */
export interface NewUser extends Contact, UserKey {
  readonly authSubject: string;
  readonly profileCompletionDeadline: Date;
  readonly remindersSettledUntil: Date;
  readonly services: readonly string[];
  readonly defaultServices: boolean;
  readonly notificationChannels?: readonly NotificationChannel[];
}

/** The user that a caller of role `user` is. */
export async function findOwnUser(
  pool: TenantPool,
  { tenantId, subject }: Pick<Caller, 'tenantId' | 'subject'>,
): Promise<OwnUser | undefined> {
  const [row] = await runStatement<OwnUser>(pool, tenantId, {
    name: 'find-own-user',
    values: [tenantId, subject],
    text:
      'SELECT id, status::text, customer_id AS "customerId" FROM users WHERE tenant_id = $1 AND auth_subject = ' +
      '$2 AND deleted_at IS NULL',
  });
  return row;
}

/** The user, unless deleted. */
export async function findUser(tx: Tx, { tenantId, userId }: UserKey): Promise<UserRow | undefined> {
  return (
    (await tx.user.findFirst({ where: { tenantId, id: userId, deletedAt: null }, include: WITH_SERVICES })) ?? undefined
  );
}

/** The user, also while a deleted one is not purged. */
export async function findSyncedUser(tx: Tx, { tenantId, userId }: UserKey): Promise<UserRow | undefined> {
  return (
    (await tx.user.findFirst({ where: { tenantId, id: userId, purgedAt: null }, include: WITH_SERVICES })) ?? undefined
  );
}

/** The user of an identity, unless deleted. */
export async function findUserBySubject(
  at: TenantPool | pg.ClientBase,
  { tenantId, authSubject }: { tenantId: string; authSubject: string },
): Promise<UserRow | undefined> {
  const [row] = await runStatementIn<ReadUser>(at, tenantId, {
    name: 'find-user-by-subject',
    text: FIND_BY_SUBJECT,
    values: [tenantId, authSubject],
  });
  return row && userRow(row);
}

/** A user's row with its services as `servicesJson` has them: in JSON an instant is a text. */
type ReadUser = User & {
  readonly services: readonly (Omit<UserSyncService, 'lastSuccessfulSync'> & {
    readonly lastSuccessfulSync: string | null;
  })[];
};

function userRow({ services, ...row }: ReadUser): UserRow {
  return {
    ...row,
    services: services.map(({ lastSuccessfulSync: at, ...service }) => ({
      ...service,
      lastSuccessfulSync: at === null ? null : new Date(at),
    })),
  };
}

/** The services in `from`, as JSON, in the order in which answers have them. */
function servicesJson(from: string): string {
  return `(SELECT coalesce(json_agg(s ORDER BY s.service), '[]')
    FROM (SELECT ${columnsOf('service', Prisma.UserSyncServiceScalarFieldEnum)} FROM ${from}) AS s) AS services`;
}

const FIND_BY_SUBJECT = `
  SELECT ${columnsOf('u', Prisma.UserScalarFieldEnum)},
    ${servicesJson('user_sync_services AS service WHERE service.tenant_id = u.tenant_id AND service.user_id = u.id')}
  FROM users AS u WHERE u.tenant_id = $1 AND u.auth_subject = $2 AND u.deleted_at IS NULL`;

/** Whether the user exists and is not deleted. */
export async function userExists(pool: TenantPool, { tenantId, userId }: UserKey): Promise<boolean> {
  const found = await runStatement(pool, tenantId, {
    name: 'user-exists',
    text: 'SELECT FROM users WHERE tenant_id = $1 AND id = $2::uuid AND deleted_at IS NULL',
    values: [tenantId, userId],
  });
  return found.length === 1;
}

/** Whether services have copies of the user: until each of them has confirmed its deletion. */
export async function hasOpenCopies(pool: TenantPool, { tenantId, userId }: UserKey): Promise<boolean> {
  const found = await runStatement(pool, tenantId, {
    name: 'user-has-open-copies',
    text: 'SELECT FROM users WHERE tenant_id = $1 AND id = $2::uuid AND sync_ended_at IS NULL',
    values: [tenantId, userId],
  });
  return found.length === 1;
}

/**
 * Writes the user, its services and the calls on its workflows (workflow outbox), all in one statement, with the
 * deadline of the identity's deleted user where that is earlier; undefined when too many were deleted, or the identity
 * has a user already, also one of a transaction that commits meanwhile. No NOTIFY: PostgreSQL takes a lock
 * for it at commit, so that commits would wait for one another.
 */
export async function insertUser(
  at: TenantPool | pg.ClientBase,
  user: NewUser,
  former: FormerRule,
  calls: readonly WorkflowCall[],
): Promise<UserRow | undefined> {
  const [row] = await runStatementIn<UserRow>(at, user.tenantId, {
    name: 'insert-user',
    text: INSERT_USER,
    values: [
      user.tenantId,
      user.userId,
      user.authSubject,
      user.email,
      user.name,
      user.locale,
      user.phone,
      user.notificationChannels ?? ['email'],
      user.profileCompletionDeadline,
      user.remindersSettledUntil,
      user.defaultServices,
      user.services,
      callsParameter(calls),
      former.subjectHash,
      former.maxDeletions,
      former.countedAfter,
    ],
  });
  return row;
}

const INSERT_USER = `
  WITH former AS (
    SELECT profile_deadline, deletions >= $15::int AND counted_since > $16::timestamptz AS "isRefused"
    FROM former_users WHERE tenant_id = $1 AND subject_hash = $14
  ), registered AS (
    INSERT INTO users (tenant_id, id, auth_subject, email, name, locale, phone, notification_channels,
      profile_completion_deadline, reminders_settled_until, default_services)
    SELECT $1, $2::uuid, $3, $4, $5, $6, $7, $8::text[], least($9::timestamptz, (SELECT profile_deadline FROM former)),
      $10::timestamptz, $11::boolean
    WHERE NOT EXISTS (SELECT FROM former WHERE "isRefused")
    ON CONFLICT DO NOTHING RETURNING *
  ), service AS (
    INSERT INTO user_sync_services (tenant_id, user_id, service)
    SELECT tenant_id, id, unnest($12::text[]) FROM registered RETURNING *
  ), promised AS (
    ${enqueueCallsSql(13)} WHERE EXISTS (SELECT FROM registered) ORDER BY place
  )
  SELECT ${columnsOf('registered', Prisma.UserScalarFieldEnum)}, ${servicesJson('service')} FROM registered`;

/**
 * What became of a change: the new version; null: other services hold nothing of what changed; undefined: there is no
 * such user.
 */
export type ContactChange = number | null | undefined | 'phone_required';

/** Changes contact fields and channels; refused when `sms` would be left without a phone number. */
export async function changeContact(
  tx: Tx,
  { tenantId, userId }: UserKey,
  changes: ContactChanges,
): Promise<ContactChange> {
  // Locked, so that concurrent changes run one after the other and each compares with the row that the one before it
  // wrote.
  await tx.$queryRaw`SELECT id FROM users WHERE tenant_id = ${tenantId} AND id = ${userId}::uuid FOR UPDATE`;
  const before = await tx.user.findFirst({ where: { tenantId, id: userId, deletedAt: null } });
  if (before === null) return undefined;
  const { email = before.email, name = before.name, locale = before.locale, phone = before.phone } = changes;
  const notificationChannels = [...(changes.notificationChannels ?? before.notificationChannels)];
  if (notificationChannels.includes('sms') && phone === null) return 'phone_required';
  if (notificationChannels.join() !== before.notificationChannels.join()) {
    await tx.user.update({ where: { tenantId_id: { tenantId, id: userId } }, data: { notificationChannels } });
  }
  const isSame = email === before.email && name === before.name && locale === before.locale && phone === before.phone;
  if (isSame) return null;
  const { version } = await tx.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: { email, name, locale, phone, ...NEXT_VERSION },
  });
  return version;
}

/**
 * Anonymises the user's row, raises its version to one that its services are told of now, removes its notifications and
 * kept answers, and keeps the deadline of its profile under a hash of its subject; undefined: there is no such user, or
 * it was deleted.
 */
export async function anonymiseUser(
  tx: AnyTx,
  { tenantId, userId }: UserKey,
  { now, subjectHash }: { readonly now: Date; readonly subjectHash: SubjectHash },
): Promise<UserRow | undefined> {
  const [before] = await sql<{ authSubject: string; deadline: Date | null; customerId: string | null }>(
    tx,
    `SELECT auth_subject AS "authSubject", profile_completion_deadline AS deadline, customer_id AS "customerId"
      FROM users WHERE tenant_id = $1 AND id = $2::uuid AND deleted_at IS NULL FOR UPDATE`,
    [tenantId, userId],
  );
  if (before === undefined) return undefined;
  const formerCustomerId = await customerLeft(tx, { tenantId, userId, customerId: before.customerId });
  // What the services said of former versions is not known to be free of personal data.
  await sql(tx, 'UPDATE user_sync_services SET last_error = NULL WHERE tenant_id = $1 AND user_id = $2::uuid', [
    tenantId,
    userId,
  ]);
  const [deleted] = await sql<ReadUser>(tx, ANONYMISE, [tenantId, userId, formerCustomerId, now]);
  if (deleted === undefined) throw new Error('a user is gone while its row is locked');
  // Before their addresses go: kept answers have them too.
  const ordered =
    formerCustomerId === null ? [] : await sql<{ id: string }>(tx, ADDRESSED_BY_SERVICES, [tenantId, formerCustomerId]);
  const orderIds = ordered.map(({ id }) => id);
  await rememberFormer(
    tx,
    { tenantId, subjectHash: subjectHash({ tenantId, authSubject: before.authSubject }) },
    { deadline: before.deadline, now },
  );
  await deleteUserNotifications(tx, { tenantId, userId });
  await sql(tx, FORGET_ADDRESSES, [tenantId, userId]);
  if (formerCustomerId !== null) await sql(tx, FORGET_ADDRESSES_BY_SERVICES, [tenantId, formerCustomerId]);
  await forgetIdempotencyOf(tx, { tenantId, named: [userId, before.authSubject, ...orderIds] });
  return userRow(deleted);
}

const ANONYMISE = `
  UPDATE users AS u SET auth_subject = 'deleted:' || id, email = 'deleted-' || id || '@deleted.invalid', name = NULL,
    phone = NULL, notification_channels = '{}', customer_id = NULL, former_customer_id = $3, customer_kind = NULL,
    company_id = NULL, financial_institution_id = NULL, deleted_at = $4::timestamptz, updated_at = now(),
    status = 'inactive', version = version + 1, synced_version = version + 1, sync_status = 'in_progress',
    last_sync_attempt = $4::timestamptz, sync_retry_count = 0, last_sync_error = NULL
  WHERE tenant_id = $1 AND id = $2::uuid
  RETURNING ${columnsOf('u', Prisma.UserScalarFieldEnum)},
    ${servicesJson('user_sync_services AS service WHERE service.tenant_id = u.tenant_id AND service.user_id = u.id')}`;

/** The customer of the user if nobody else is there for it. */
async function customerLeft(
  tx: AnyTx,
  { tenantId, userId, customerId }: UserKey & { readonly customerId: string | null },
): Promise<string | null> {
  if (customerId === null) return null;
  const others = await sql(
    tx,
    'SELECT id FROM users WHERE tenant_id = $1 AND customer_id = $2 AND deleted_at IS NULL AND id <> $3::uuid LIMIT 1',
    [tenantId, customerId, userId],
  );
  return others.length === 0 ? customerId : null;
}
