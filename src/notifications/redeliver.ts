import { PoisonError } from '../bus/bus.ts';
import type { ReplayHandler } from '../bus/replay.ts';
import type { Config } from '../config.ts';
import type { Db } from '../db/client.ts';
import { markNotificationRefused, renewNotification } from '../db/notifications.ts';
import { fieldsOf } from '../domain/refusal.ts';
import type { MailGateway } from '../gateways/mail.ts';
import { deliverNotification } from './deliver.ts';

/** Replays a dead letter of a notification: it is handed over now, or the dead letter stays with the reason. */
export function createRedelivery(
  { db, mail, config }: { db: Db; mail: MailGateway | undefined; config: Pick<Config, 'NOTIFICATIONS_PAUSED'> },
): ReplayHandler {
  return async (tenantId, { payload }) => {
    if (mail === undefined) throw new PoisonError('mail_server_unavailable', 'No mail server is configured (SMTP_URL).');
    if (config.NOTIFICATIONS_PAUSED) throw new PoisonError('notifications_paused', 'NOTIFICATIONS_PAUSED=true keeps notifications back.');
    const id = notificationIdIn(payload);
    await db.inTenant(tenantId, (tx) => renewNotification(tx, { tenantId, id }));
    const outcome = await deliverNotification(db, mail, { tenantId, id });
    switch (outcome) {
      case 'sent':
      case 'settled': return; // sent by somebody else, or its user is gone
      case 'failed': throw new PoisonError('recipient_refused', 'The mail server refused the message or its recipient once more.');
      case 'busy': throw new PoisonError('notification_busy', 'Another process is delivering it at this moment.');
      case 'retry':
        await db.inTenant(tenantId, (tx) => markNotificationRefused(tx, { tenantId, id, isFinal: true, error: 'replayed while the mail server was away' }));
        throw new PoisonError('mail_server_unavailable', 'The mail server could not take the message.');
    }
  };
}

function notificationIdIn(payload: string): string {
  const { notificationId } = fieldsOf(JSON.parse(payload));
  if (typeof notificationId !== 'string') throw new PoisonError('invalid_payload', 'The dead letter names no notification.');
  return notificationId;
}
