import type { ClaimedNotification } from '../db/notifications/notifications.ts';
import { notificationMessageId } from '../domain/notifications/delivery-policy.ts';
import type { NotificationChannel } from '../domain/notifications/channels.ts';
import type { MailGateway } from '../gateways/mail.ts';
import type { SmsGateway } from '../gateways/sms.ts';

/**
 * The gateways by which notifications are sent; one that is not configured is undefined, and its notifications are
 * `kept` for reading.
 */
export interface NotificationGateways {
  readonly mail: MailGateway | undefined;
  readonly sms?: SmsGateway | undefined;
}

/** Sends one notification; rejects as its gateway does. */
export type Deliver = (notification: ClaimedNotification) => Promise<void>;

/** What sends the notifications of each channel. */
export type Channels = Readonly<Record<NotificationChannel, Deliver | undefined>>;

/** The channels over the gateways that are there. */
export function channelsOver({ mail, sms }: NotificationGateways): Channels {
  return {
    email:
      mail &&
      (({ id, recipient, subject, text, html }) =>
        mail.send({ to: recipient, subject, text, html, messageId: notificationMessageId(id) })),
    sms: sms && (({ id, recipient, text }) => sms.send({ id, to: recipient, text })),
  };
}
