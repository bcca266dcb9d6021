import { randomUUID } from 'node:crypto';
import type { Tx } from '../db/client.ts';
import { insertNotifications, type NewNotification } from '../db/notifications.ts';
import type { Config } from '../config.ts';
import { formatDaysUntil, formatInstant, localeOf } from './locale.ts';
import { layOut, type Message } from './message.ts';
import { ADMIN_TEMPLATES, USER_TEMPLATES, type NotificationKind } from './templates.ts';

/** The settings that notifications follow. */
type NotificationSettings = Pick<Config, 'SMTP_URL' | 'ADMIN_EMAILS' | 'PUBLIC_APP_URL' | 'TIME_ZONE'>;

/** A step of a user's profile that somebody is told about. */
export interface NotificationOrder {
  readonly tenantId: string;
  readonly userId: string;
  readonly kind: NotificationKind;
  /** Days before the deadline; 0 but for reminders. */
  readonly markDays: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly settings: NotificationSettings;
}

/**
 * Writes what is to be said about a step, in the transaction of that step: one row a recipient, however often it is
 * called. Returns the ids of the rows that wait for delivery, of this or an earlier call; none for a deleted user.
 */
export async function writeNotifications(tx: Tx, order: NotificationOrder): Promise<string[]> {
  const { tenantId, userId, kind, markDays, deadline, settings } = order;
  const user = await tx.user.findUnique({
    where: { tenantId_id: { tenantId, id: userId } }, select: { email: true, name: true, locale: true, deletedAt: true },
  });
  if (user === null || user.deletedAt !== null) return [];

  const addressed = [
    { recipient: user.email, toUser: true, locale: localeOf(user.locale), message: composeForUser(order, user) },
    ...composeForAdmins(order).filter(({ recipient }) => recipient.toLowerCase() !== user.email.toLowerCase()),
  ];
  const status = settings.SMTP_URL === undefined ? 'kept' : 'pending';
  return insertNotifications(tx, addressed.map(({ message, ...address }): NewNotification => ({
    tenantId, id: randomUUID(), userId, kind, mark: markDays, deadline: new Date(deadline), status, ...address, ...message,
  })));
}

function composeForUser(order: NotificationOrder, user: { name: string | null; locale: string }): Message {
  const { kind, deadline, now, settings: { TIME_ZONE: timeZone, PUBLIC_APP_URL: appUrl } } = order;
  const locale = localeOf(user.locale);
  return layOut({
    locale,
    ...USER_TEMPLATES[kind][locale]({
      name: user.name, deadline: formatInstant(deadline, { locale, timeZone }), appUrl,
      daysLeft: formatDaysUntil(deadline, { now, locale, timeZone }),
    }),
  });
}

function composeForAdmins({ kind, userId, deadline, settings }: NotificationOrder) {
  const template = ADMIN_TEMPLATES[kind];
  if (template === null) return [];
  const locale = 'en' as const;
  const message = layOut({
    locale, ...template({ userId, deadline: formatInstant(deadline, { locale, timeZone: settings.TIME_ZONE }) }),
  });
  return [...new Set(settings.ADMIN_EMAILS)].map((recipient) => ({ recipient, toUser: false, locale, message }));
}
