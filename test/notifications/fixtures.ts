import { randomUUID } from 'node:crypto';
import { loadConfig, type Config } from '../../src/config/config.ts';
import type { Db } from '../../src/postgres/client.ts';
import type { Notification } from '../../src/postgres/generated/client.ts';
import { writeNotifications, type NotificationOrder } from '../../src/notifications/write-notifications.ts';

export const TENANT = 'acme';
/** A Saturday, 10:00 in Paris. */
export const DEADLINE = Date.parse('2026-11-28T09:00:00Z');
export const FIVE_DAYS_BEFORE = Date.parse('2026-11-23T09:00:00Z');

/** The settings of a test, over the defaults. */
export function settings(env: Record<string, string> = {}): Config {
  return loadConfig({ PUBLIC_APP_URL: 'https://app.example/?a=1&b=2', ...env });
}

/** Inserts a user. */
export async function insertUser(
  db: Db,
  user: { locale?: string; name?: string | null; email?: string; deletedAt?: Date } = {},
): Promise<string> {
  const id = randomUUID();
  await db.inTenant(TENANT, (tx) =>
    tx.user.create({
      data: {
        tenantId: TENANT,
        id,
        authSubject: `auth|${id}`,
        email: `${id}@users.example`,
        name: 'Ada',
        locale: 'fr',
        ...user,
      },
    }),
  );
  return id;
}

/** Writes the notifications of a reminder, or of another step, and returns the ids to deliver. */
export function write(
  db: Db,
  order: Partial<NotificationOrder> & { userId: string; settings: Config },
): Promise<string[]> {
  return db.inTenant(TENANT, (tx) =>
    writeNotifications(tx, {
      tenantId: TENANT,
      kind: 'profile_reminder',
      markDays: 5,
      deadline: DEADLINE,
      now: FIVE_DAYS_BEFORE,
      ...order,
    }),
  );
}

/** What is stored for a user. */
export function notificationsOf(db: Db, userId: string): Promise<Notification[]> {
  return db.inTenant(TENANT, (tx) => tx.notification.findMany({ where: { userId }, orderBy: { recipient: 'asc' } }));
}
