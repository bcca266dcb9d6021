import type { Logger } from 'pino';
import { dueAlerts, findAlert, markTold, postponeDelivery } from '../db/alerts/alert-deliveries.ts';
import type { Db } from '../postgres/client.ts';
import type { Alert } from '../postgres/generated/client.ts';
import type { MailGateway } from '../gateways/mail.ts';
import { PermanentDeliveryError } from '../gateways/permanent-error.ts';
import type { WebhookGateway } from '../gateways/webhook.ts';
import { addressOf, WEBHOOK_CHANNEL } from './channels.ts';
import { alertMail } from './alert-mail.ts';

/** What the delivery of alerts is built from; a gateway that is not configured is undefined. */
export interface AlertDeliveryDeps {
  readonly db: Db;
  readonly mail: MailGateway | undefined;
  readonly webhook: WebhookGateway | undefined;
  readonly logger: Logger;
  /** Pause after the first failed attempt; it doubles up to 1 h. */
  readonly firstDelayMs?: number;
}

const FIRST_DELAY_MS = 10_000;
const MAX_DELAY_MS = 3_600_000;
const BATCH_SIZE = 100;

/**
 * Delivers every alert that is due by each channel it has not reached yet; at least once, with the alert's id for the
 * receiver to recognise a repetition.
 */
export async function deliverAlerts(deps: AlertDeliveryDeps): Promise<void> {
  for (const key of await dueAlerts(deps.db, BATCH_SIZE)) {
    const alert = await findAlert(deps.db, key);
    if (alert !== null) await deliverAlert(deps, alert);
  }
}

async function deliverAlert(deps: AlertDeliveryDeps, alert: Alert): Promise<void> {
  const failures: string[] = [];
  for (const channel of alert.undelivered) {
    try {
      await tell(deps, channel, alert);
    } catch (error) {
      if (!(error instanceof PermanentDeliveryError)) {
        failures.push(`${channel}: ${String(error)}`);
        continue;
      }
      deps.logger.error(
        { alertId: alert.id, status: error.status },
        'an address in ADMIN_EMAILS was refused for good; this alert does not reach it',
      );
    }
    await markTold(deps.db, alert, channel);
  }
  if (failures.length === 0) return;
  deps.logger.warn(
    { alertId: alert.id, channels: failures.length, attempts: alert.deliveryAttempts + 1 },
    'an alert could not be delivered everywhere; it is tried again',
  );
  const delayMs = Math.min(
    MAX_DELAY_MS,
    (deps.firstDelayMs ?? FIRST_DELAY_MS) * 2 ** Math.min(alert.deliveryAttempts, 20),
  );
  await postponeDelivery(deps.db, alert, { delayMs, error: failures.join('; ') });
}

async function tell({ mail, webhook }: AlertDeliveryDeps, channel: string, alert: Alert): Promise<void> {
  const address = addressOf(channel);
  if (address !== undefined) return mail?.send(alertMail(alert, address));
  // A channel that is not configured any more is given up.
  if (channel === WEBHOOK_CHANNEL) await webhook?.post({ id: alert.id, body: webhookBody(alert) });
}

/** What the webhook receives. */
function webhookBody({
  tenantId,
  id,
  kind,
  severity,
  status,
  summary,
  details,
  count,
  firstSeenAt,
  lastSeenAt,
}: Alert): object {
  return { tenantId, id, kind, severity, status, summary, details, count, firstSeenAt, lastSeenAt };
}
