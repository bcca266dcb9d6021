import type { Db, Tx } from '../db/client.ts';
import { parkDeadLetter } from '../db/dead-letters.ts';
import {
  claimNotification, holdingNotification, markNotificationRefused, markNotificationSent, type ClaimedNotification, type NotificationKey,
} from '../db/notifications.ts';
import { PermanentMailError, type MailGateway } from '../gateways/mail.ts';
import { DELIVERY_MAX_ATTEMPTS, notificationMessageId } from '../domain/delivery-policy.ts';

/** Source of the dead letters that notifications end as. */
const NOTIFICATION_SOURCE = 'notification';

/** What became of one notification; `settled`: it no longer waited, `busy`: another process has it in hand. */
export type DeliveryOutcome = 'sent' | 'settled' | 'busy' | 'retry' | 'failed';

/** Hands one waiting notification over to the mail server; one process at a time, at least once, with one Message-ID. */
export async function deliverNotification(db: Db, mail: MailGateway, key: NotificationKey): Promise<DeliveryOutcome> {
  const outcome = await holdingNotification(db.pool, key, async () => {
    const claimed = await db.inTenant(key.tenantId, (tx) => claimNotification(tx, key));
    return claimed === undefined ? 'settled' : handOver(db, mail, { ...claimed, tenantId: key.tenantId });
  });
  return outcome ?? 'busy';
}

type Claimed = ClaimedNotification & NotificationKey;

async function handOver(db: Db, mail: MailGateway, notification: Claimed): Promise<DeliveryOutcome> {
  const { tenantId, id, recipient, subject, text, html, attempts } = notification;
  try {
    await mail.send({ to: recipient, subject, text, html, messageId: notificationMessageId(id) });
  } catch (error) {
    const isFinal = error instanceof PermanentMailError || attempts >= DELIVERY_MAX_ATTEMPTS;
    await db.inTenant(tenantId, async (tx) => {
      await markNotificationRefused(tx, { tenantId, id, isFinal, error: String(error) });
      if (isFinal) await park(notification, error, tx);
    });
    return isFinal ? 'failed' : 'retry';
  }
  await db.inTenant(tenantId, (tx) => markNotificationSent(tx, { tenantId, id }));
  return 'sent';
}

/** The dead letter names no address, and neither does its detail: the server's words, which may, stay in the row. */
function park({ tenantId, id, userId, kind }: Claimed, error: unknown, tx: Tx): Promise<void> {
  const isRefused = error instanceof PermanentMailError;
  return parkDeadLetter(tx, {
    tenantId, source: NOTIFICATION_SOURCE, type: kind,
    cause: isRefused ? 'recipient_refused' : 'mail_server_unavailable',
    detail: isRefused
      ? `The mail server refused the message or its recipient for good (${error.status}).`
      : `The message could not be handed over to the mail server in ${DELIVERY_MAX_ATTEMPTS} attempts.`,
    messageId: id, key: userId, payload: JSON.stringify({ notificationId: id }),
  });
}
