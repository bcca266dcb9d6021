import type { Db, Tx } from '../postgres/client.ts';
import { holdingLease } from '../postgres/leases.ts';
import { parkDeadLetter } from '../messaging/dead-letters/dead-letters.ts';
import {
  claimNotification,
  markNotificationRefused,
  markNotificationSent,
  type ClaimedNotification,
  type NotificationKey,
} from '../db/notifications/notifications.ts';
import { DELIVERY_MAX_ATTEMPTS } from '../domain/notifications/delivery-policy.ts';
import { PermanentDeliveryError } from '../gateways/permanent-error.ts';
import type { Channels, Deliver } from './channels.ts';
import type { NotificationCause } from '../domain/notifications/codes.ts';

/** Source of the dead letters of notifications. */
const NOTIFICATION_SOURCE = 'notification';

/** What became of one notification. `settled`: it was not pending any more; `busy`: another process holds its lease. */
export type NotificationOutcome = 'sent' | 'settled' | 'busy' | 'retry' | 'failed';

/** Sends one pending notification by its channel: one process at a time, at least once, always with the same id. */
export async function deliverNotification(
  db: Db,
  channels: Channels,
  key: NotificationKey,
): Promise<NotificationOutcome> {
  const outcome = await holdingLease(db.pool, `notification:${key.tenantId}:${key.id}`, async () => {
    const claimed = await db.inTenant(key.tenantId, (tx) => claimNotification(tx, key));
    return claimed === undefined
      ? 'settled'
      : attempt(db, handOverBy(channels, claimed), { ...claimed, tenantId: key.tenantId });
  });
  return outcome ?? 'busy';
}

type Claimed = ClaimedNotification & NotificationKey;

async function attempt(db: Db, handOver: Deliver, notification: Claimed): Promise<NotificationOutcome> {
  const { tenantId, id, attempts } = notification;
  try {
    await handOver(notification);
  } catch (error) {
    const isFinal = error instanceof PermanentDeliveryError || attempts >= DELIVERY_MAX_ATTEMPTS;
    await db.inTenant(tenantId, async (tx) => {
      await markNotificationRefused(tx, { tenantId, id, isFinal, error: String(error) });
      if (isFinal) await park(notification, error, tx);
    });
    return isFinal ? 'failed' : 'retry';
  }
  await db.inTenant(tenantId, (tx) => markNotificationSent(tx, { tenantId, id }));
  return 'sent';
}

function handOverBy(channels: Channels, { channel }: ClaimedNotification): Deliver {
  const handOver = channel === 'email' || channel === 'sms' ? channels[channel] : undefined;
  return handOver ?? (() => Promise.reject(new Error(`no gateway is configured for the channel ${channel}`)));
}

/**
 * Parks without personal data: the address and the other side's words, which may quote it, stay in the notification's
 * row.
 */
function park({ tenantId, id, userId, kind, channel }: Claimed, error: unknown, tx: Tx): Promise<void> {
  const isRefused = error instanceof PermanentDeliveryError;
  const taker = channel === 'sms' ? 'SMS webhook' : 'mail server';
  return parkDeadLetter(tx, {
    tenantId,
    source: NOTIFICATION_SOURCE,
    type: kind,
    cause: (isRefused ? 'recipient_refused' : unavailableCause(channel)) satisfies NotificationCause,
    detail: isRefused
      ? `The ${taker} refused the message or its recipient for good (${error.status}).`
      : `The message could not be handed over to the ${taker} in ${DELIVERY_MAX_ATTEMPTS} attempts.`,
    messageId: id,
    key: userId,
    payload: JSON.stringify({ notificationId: id }),
  });
}

/** Cause of a dead letter whose channel could not take it. */
export function unavailableCause(channel: string): NotificationCause {
  return channel === 'sms' ? 'sms_unavailable' : 'mail_server_unavailable';
}
