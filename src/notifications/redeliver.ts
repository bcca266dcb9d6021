import { PoisonError } from '../messaging/bus.ts';
import type { ReplayHandler } from '../messaging/dead-letters/replay.ts';
import type { Config } from '../config/config.ts';
import type { Db } from '../postgres/client.ts';
import {
  channelOfNotification,
  markNotificationRefused,
  renewNotification,
} from '../db/notifications/notifications.ts';
import { fieldsOf } from '../domain/shared/payload.ts';
import { channelsOver, type NotificationGateways } from './channels.ts';
import { deliverNotification, unavailableCause } from './deliver.ts';
import type { NotificationCause } from '../domain/notifications/codes.ts';

/** Replays a dead letter of a notification: it is sent now, or the dead letter stays parked with the new cause. */
export function createRedelivery({
  db,
  config,
  ...gateways
}: { db: Db; config: Pick<Config, 'NOTIFICATIONS_PAUSED'> } & NotificationGateways): ReplayHandler {
  const channels = channelsOver(gateways);
  return async (tenantId, { payload }) => {
    const id = notificationIdIn(payload);
    const channel = await db.inTenant(tenantId, (tx) => channelOfNotification(tx, { tenantId, id }));
    if (channel === undefined) return; // its user is gone
    if (channels[channel] === undefined)
      throw new PoisonError<NotificationCause>(
        unavailableCause(channel),
        `No gateway is configured for the channel ${channel}.`,
      );
    if (config.NOTIFICATIONS_PAUSED)
      throw new PoisonError<NotificationCause>(
        'notifications_paused',
        'NOTIFICATIONS_PAUSED=true keeps notifications back.',
      );
    await db.inTenant(tenantId, (tx) => renewNotification(tx, { tenantId, id }));
    const outcome = await deliverNotification(db, channels, { tenantId, id });
    switch (outcome) {
      case 'sent':
      case 'settled':
        return; // sent by somebody else, or its user is gone
      case 'failed':
        throw new PoisonError<NotificationCause>(
          'recipient_refused',
          'The message or its recipient was refused once more.',
        );
      case 'busy':
        throw new PoisonError<NotificationCause>(
          'notification_busy',
          'Another process is delivering it at this moment.',
        );
      case 'retry':
        await db.inTenant(tenantId, (tx) =>
          markNotificationRefused(tx, { tenantId, id, isFinal: true, error: 'replayed while nobody took it' }),
        );
        throw new PoisonError<NotificationCause>(
          unavailableCause(channel),
          `The channel ${channel} could not take the message.`,
        );
    }
  };
}

function notificationIdIn(payload: string): string {
  const { notificationId } = fieldsOf(JSON.parse(payload));
  if (typeof notificationId !== 'string')
    throw new PoisonError<NotificationCause>('invalid_payload', 'The dead letter names no notification.');
  return notificationId;
}
