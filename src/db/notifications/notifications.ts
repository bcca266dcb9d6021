import type { Prisma } from '../../postgres/generated/client.ts';
import type { Tx } from '../../postgres/client.ts';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import { isNotificationChannel, type NotificationChannel } from '../../domain/notifications/channels.ts';

/** A notification before its delivery. */
export type NewNotification = Required<
  Pick<
    Prisma.NotificationCreateManyInput,
    | 'tenantId'
    | 'id'
    | 'userId'
    | 'kind'
    | 'mark'
    | 'channel'
    | 'recipient'
    | 'toUser'
    | 'locale'
    | 'subject'
    | 'text'
    | 'html'
  >
> & { readonly deadline: Date; readonly status: 'pending' | 'kept' };

/** What delivery needs of a notification. */
export interface ClaimedNotification {
  readonly id: string;
  readonly userId: string;
  readonly kind: string;
  readonly channel: string;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
}

/** Inserts the rows that are not there yet and returns the ids, old and new, of those that wait for delivery. */
export async function insertNotifications(tx: Tx, rows: readonly NewNotification[]): Promise<string[]> {
  const [first] = rows;
  if (first === undefined) return [];
  await tx.notification.createMany({ data: [...rows], skipDuplicates: true });
  const { tenantId, userId, kind, mark, deadline } = first;
  return pendingNotifications(tx, { tenantId, userId, kind, mark, deadline });
}

/** Ids of the pending notifications about a user, or about one step of its profile. */
export async function pendingNotifications(
  tx: Tx,
  about: Pick<NewNotification, 'tenantId' | 'userId'> & Partial<Pick<NewNotification, 'kind' | 'mark' | 'deadline'>>,
): Promise<string[]> {
  const pending = await tx.notification.findMany({
    where: { ...about, status: 'pending' },
    select: { id: true },
    orderBy: { id: 'asc' },
  });
  return pending.map(({ id }) => id);
}

/** Counts an attempt and returns the notification; undefined when it is not pending any more. */
export async function claimNotification(
  tx: Tx,
  { tenantId, id }: NotificationKey,
): Promise<ClaimedNotification | undefined> {
  const [claimed] = await tx.notification.updateManyAndReturn({
    where: { tenantId, id, status: 'pending' },
    data: { attempts: { increment: 1 } },
    select: {
      id: true,
      userId: true,
      kind: true,
      channel: true,
      recipient: true,
      subject: true,
      text: true,
      html: true,
      attempts: true,
    },
  });
  return claimed;
}

/** Which row. */
export interface NotificationKey {
  readonly tenantId: string;
  readonly id: string;
}

/** The channel of a notification; undefined when it is not there. */
export async function channelOfNotification(
  tx: Tx,
  { tenantId, id }: NotificationKey,
): Promise<NotificationChannel | undefined> {
  const row = await tx.notification.findFirst({ where: { tenantId, id }, select: { channel: true } });
  return row !== null && isNotificationChannel(row.channel) ? row.channel : undefined;
}

/** Records that the mail server or webhook accepted it. */
export async function markNotificationSent(tx: Tx, { tenantId, id }: NotificationKey): Promise<void> {
  await tx.notification.updateMany({
    where: { tenantId, id, status: 'pending' },
    data: { status: 'sent', sentAt: new Date(), lastError: null },
  });
}

/** Records why the last attempt failed; `isFinal`: there is no further one. */
export async function markNotificationRefused(
  tx: Tx,
  { tenantId, id, error, isFinal }: NotificationKey & { error: string; isFinal: boolean },
): Promise<void> {
  await tx.notification.updateMany({
    where: { tenantId, id, status: 'pending' },
    data: { lastError: error.slice(0, 1000), ...(isFinal ? { status: 'failed' as const } : {}) },
  });
}

/** Marks as `kept`, for reading alone, what is pending for channels that are not configured. */
export async function keepNotifications(
  tx: Tx,
  { tenantId, ids, channels }: { tenantId: string; ids: readonly string[]; channels: readonly NotificationChannel[] },
): Promise<void> {
  await tx.notification.updateMany({
    where: { tenantId, id: { in: [...ids] }, channel: { in: [...channels] }, status: 'pending' },
    data: { status: 'kept' },
  });
}

/** How many of these are pending. */
export async function countPendingNotifications(
  tx: Tx,
  { tenantId, ids }: { tenantId: string; ids: readonly string[] },
): Promise<number> {
  return tx.notification.count({ where: { tenantId, id: { in: [...ids] }, status: 'pending' } });
}

/** Makes a failed notification pending again, with no attempts counted; false when it is not there or did not fail. */
export async function renewNotification(tx: Tx, { tenantId, id }: NotificationKey): Promise<boolean> {
  const { count } = await tx.notification.updateMany({
    where: { tenantId, id, status: 'failed' },
    data: { status: 'pending', attempts: 0 },
  });
  return count > 0;
}

/**
 * Notifications that have waited longer than `olderThanMs`, oldest first, at most `limit`, of every tenant the
 * transaction sees.
 */
export async function overdueNotifications(tx: Tx, olderThanMs: number, limit = 1000): Promise<NotificationKey[]> {
  return tx.$queryRaw<NotificationKey[]>`
    SELECT tenant_id AS "tenantId", id::text FROM notifications
    WHERE status = 'pending' AND created_at < now() - make_interval(secs => ${olderThanMs / 1000}::float8)
    ORDER BY created_at LIMIT ${limit}`;
}

/**
 * Removes the notifications to a user who is being deleted; those to administrators name only its id and stay.
 */
export async function deleteUserNotifications(
  tx: AnyTx,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<void> {
  await sql(tx, 'DELETE FROM notifications WHERE tenant_id = $1 AND user_id = $2::uuid AND to_user', [
    tenantId,
    userId,
  ]);
}
