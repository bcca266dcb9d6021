import { randomUUIDv7 } from 'node:crypto';
import type { Tx } from '../postgres/client.ts';
import { findReader, type Reader } from '../db/notifications/find-reader.ts';
import { insertNotifications, type NewNotification } from '../db/notifications/notifications.ts';
import type { Config } from '../config/config.ts';
import { channelsOf, type NotificationChannel } from '../domain/notifications/channels.ts';
import { formatDaysUntil, formatInstant, localeOf, type Locale } from './locale.ts';
import { renderMessage, type Message } from './message.ts';
import { SMS_TEMPLATES } from './sms-templates.ts';
import { ADMIN_TEMPLATES, USER_TEMPLATES, type NotificationKind } from './templates.ts';

/** The settings that notifications follow. */
type NotificationSettings = Pick<
  Config,
  'SMTP_URL' | 'SMS_WEBHOOK_URL' | 'ADMIN_EMAILS' | 'PUBLIC_APP_URL' | 'TIME_ZONE'
>;

/** A step of a user's profile that leads to notifications. */
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
 * Writes the notifications of a step, in the transaction of that step: one row a channel and recipient, however often
 * it is called. Returns the ids of the pending rows, of this or an earlier call; none for a deleted user.
 */
export async function writeNotifications(tx: Tx, order: NotificationOrder): Promise<string[]> {
  const { tenantId, userId, kind, markDays, deadline, settings } = order;
  const user = await findReader(tx, { tenantId, userId });
  if (user === null) return [];

  const addressed = [
    ...addressUser(order, user),
    ...composeForAdmins(order).filter(({ recipient }) => recipient.toLowerCase() !== user.email.toLowerCase()),
  ];
  const isOpen = { email: settings.SMTP_URL !== undefined, sms: settings.SMS_WEBHOOK_URL !== undefined };
  return insertNotifications(
    tx,
    addressed.map(({ message, ...address }): NewNotification => ({
      tenantId,
      id: randomUUIDv7(),
      userId,
      kind,
      mark: markDays,
      deadline: new Date(deadline),
      status: isOpen[address.channel] ? 'pending' : 'kept',
      ...address,
      ...message,
    })),
  );
}

/** A message for one recipient of one channel. */
interface Addressed {
  readonly channel: NotificationChannel;
  readonly recipient: string;
  readonly toUser: boolean;
  readonly locale: Locale;
  readonly message: Message;
}

function addressUser(order: NotificationOrder, user: Reader): Addressed[] {
  const {
    kind,
    deadline,
    now,
    settings: { TIME_ZONE: timeZone, PUBLIC_APP_URL: appUrl },
  } = order;
  const locale = localeOf(user.locale);
  const facts = {
    name: user.name,
    deadline: formatInstant(deadline, { locale, timeZone }),
    appUrl,
    daysLeft: formatDaysUntil(deadline, { now, locale, timeZone }),
  };
  return channelsOf(user).map((channel) =>
    channel === 'sms'
      ? {
          channel,
          toUser: true,
          locale,
          recipient: normalizePhone(user.phone ?? ''),
          message: { subject: '', html: '', text: SMS_TEMPLATES[kind][locale](facts) },
        }
      : {
          channel,
          toUser: true,
          locale,
          recipient: user.email,
          message: renderMessage({ locale, ...USER_TEMPLATES[kind][locale](facts) }),
        },
  );
}

/** The number without spaces and punctuation. */
function normalizePhone(phone: string): string {
  return phone.replaceAll(/[^0-9+]/g, '');
}

function composeForAdmins({ kind, userId, deadline, settings }: NotificationOrder): Addressed[] {
  const template = ADMIN_TEMPLATES[kind];
  if (template === null) return [];
  const locale = 'en' as const;
  const message = renderMessage({
    locale,
    ...template({ userId, deadline: formatInstant(deadline, { locale, timeZone: settings.TIME_ZONE }) }),
  });
  return [...new Set(settings.ADMIN_EMAILS)].map((recipient) => ({
    channel: 'email',
    recipient,
    toUser: false,
    locale,
    message,
  }));
}
