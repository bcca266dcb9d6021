import type { Logger } from 'pino';
import {
  beginTelling,
  dueAlerts,
  findAlert,
  markOver,
  markTold,
  postponeDelivery,
  takeBackTelling,
  takeForDelivery,
} from '../db/alerts/alert-deliveries.ts';
import { SYSTEM } from '../db/alerts/raise-alert.ts';
import { channelOf, readTarget, targetOf, writeTarget, type Target } from '../domain/alerts/telling.ts';
import type { SystemDb } from '../postgres/client.ts';
import type { Alert } from '../postgres/generated/client.ts';
import type { MailGateway } from '../gateways/mail.ts';
import { PermanentDeliveryError } from '../gateways/permanent-error.ts';
import type { WebhookGateway } from '../gateways/webhook.ts';
import { alertCall, alertMail, type Telling } from './alert-message.ts';

/** What the delivery of alerts is built from; what is not configured is undefined. */
export interface AlertDeliveryDeps {
  readonly system: SystemDb;
  readonly mail: MailGateway | undefined;
  /** Where new alerts are posted. */
  readonly webhookUrl: string | undefined;
  readonly webhookAt: (url: string) => WebhookGateway;
  readonly logger: Logger;
  /** Whether this process still has the duty; another one beside it would tell out of order. */
  readonly isOnDuty: () => Promise<boolean>;
  /** Pause after the first failed attempt; it doubles up to 1 h. */
  readonly firstDelayMs?: number;
  /** How long a condition that comes and goes must be gone before that is told; 10 min. */
  readonly calmMs?: number;
}

const FIRST_DELAY_MS = 10_000;
const MAX_DELAY_MS = 3_600_000;
const CALM_MS = 600_000;
const BATCH_SIZE = 100;

/**
 * Tells every alert that is due by each channel it has not reached yet, and that it is over wherever it was told; each
 * at least once, with an id for the receiver to recognise a repetition, and never the end before the beginning.
 */
export async function deliverAlerts(deps: AlertDeliveryDeps): Promise<void> {
  for (const key of await dueAlerts(deps.system, BATCH_SIZE)) {
    if (!(await deps.isOnDuty())) return;
    const alert = await takeForDelivery(deps.system, key, new Date());
    if (alert !== null) await deliverAlert(deps, alert);
  }
}

async function deliverAlert(deps: AlertDeliveryDeps, alert: Alert): Promise<void> {
  const failures = await tellRaised(deps, alert);
  const holdMs = alert.status === 'resolved' ? calmLeftMs(deps, alert) : 0;
  if (alert.status === 'resolved' && holdMs === 0) failures.push(...(await tellOver(deps, alert)));
  if (failures.length === 0) {
    if (holdMs > 0) await postponeDelivery(deps.system, alert, { delayMs: holdMs, error: null });
    return;
  }
  deps.logger.warn(
    { alertId: alert.id, channels: failures.length, attempts: alert.deliveryAttempts + 1 },
    'an alert could not be delivered everywhere; it is tried again',
  );
  const delayMs = Math.min(
    MAX_DELAY_MS,
    (deps.firstDelayMs ?? FIRST_DELAY_MS) * 2 ** Math.min(alert.deliveryAttempts, 20),
  );
  await postponeDelivery(deps.system, alert, { delayMs, error: failures.join('; ') });
}

/** How long it is still not told that the alert is over, since its condition comes and goes; 0: it is told now. */
function calmLeftMs({ calmMs = CALM_MS }: AlertDeliveryDeps, { isFlapping, resolvedAt, resolvedBy }: Alert): number {
  if (!isFlapping || resolvedBy !== SYSTEM || resolvedAt === null) return 0;
  return Math.max(0, resolvedAt.getTime() + calmMs - Date.now());
}

async function tellRaised(deps: AlertDeliveryDeps, alert: Alert): Promise<string[]> {
  const failures: string[] = [];
  for (const channel of alert.undelivered) {
    const target = targetOf(channel, deps.webhookUrl);
    // A channel that is not configured any more is given up.
    if (target !== undefined && (target.kind === 'webhook' || deps.mail !== undefined)) {
      // Written first: should this process die, it is known where it may have been told.
      await beginTelling(deps.system, alert, writeTarget(target));
      const failure = await attempt(deps, { alert, telling: 'raised', target });
      if (failure !== undefined) await takeBackTelling(deps.system, alert, writeTarget(target));
      if (failure?.isFinal === false) {
        failures.push(`${channel}: ${failure.reason}`);
        continue;
      }
    }
    await markTold(deps.system, alert, channel);
  }
  return failures;
}

async function tellOver(deps: AlertDeliveryDeps, { tenantId, id }: Alert): Promise<string[]> {
  const failures: string[] = [];
  const alert = await findAlert(deps.system, { tenantId, id });
  for (const kept of alert?.told ?? []) {
    if (alert === null || alert.undelivered.includes(channelOf(kept))) continue; // first that it was raised
    const failure = await attempt(deps, { alert, telling: 'over', target: readTarget(kept) });
    if (failure?.isFinal === false) failures.push(`${channelOf(kept)}: ${failure.reason}`);
    else await markOver(deps.system, alert, kept);
  }
  return failures;
}

interface Message {
  readonly alert: Alert;
  readonly telling: Telling;
  readonly target: Target;
}

async function attempt(
  deps: AlertDeliveryDeps,
  message: Message,
): Promise<{ readonly isFinal: boolean; readonly reason: string } | undefined> {
  try {
    await send(deps, message);
    return undefined;
  } catch (error) {
    if (!(error instanceof PermanentDeliveryError)) return { isFinal: false, reason: String(error) };
    deps.logger.error(
      { alertId: message.alert.id, status: error.status },
      'an address in ADMIN_EMAILS was refused for good; this alert does not reach it',
    );
    return { isFinal: true, reason: error.message };
  }
}

async function send({ mail, webhookAt }: AlertDeliveryDeps, { alert, telling, target }: Message): Promise<void> {
  if (target.kind === 'webhook') return webhookAt(target.url).post(alertCall(alert, telling));
  if (mail === undefined) throw new Error('SMTP_URL is not set');
  await mail.send(alertMail(alert, telling, target.address));
}
