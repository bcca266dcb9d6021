import { ApplicationFailure, Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { countPendingNotifications, keepNotifications } from '../../db/notifications/notifications.ts';
import { NOTIFICATION_CHANNELS } from '../../domain/notifications/channels.ts';
import { MAIL_CONNECTIONS } from '../../gateways/mail.ts';
import { channelsOver, type NotificationGateways } from '../../notifications/channels.ts';
import { deliverNotification, type NotificationOutcome } from '../../notifications/deliver.ts';
import {
  BUSY_RETRY_DELAY_MS,
  deliveryPauseMs,
  PAUSED_RETRY_DELAY_MS,
} from '../../domain/notifications/delivery-policy.ts';
import { jittered } from '../../domain/shared/spread.ts';
import { withHeartbeat } from '../with-heartbeat.ts';
import type { NotificationFailure } from '../../domain/notifications/codes.ts';

/** What delivery needs. */
export interface NotificationDeps extends NotificationGateways {
  readonly db: Db;
  readonly config: Pick<Config, 'NOTIFICATIONS_PAUSED'>;
  /** Called with each outcome, for the metrics. */
  readonly observe?: (outcome: NotificationOutcome) => void;
}

/** Which notifications to deliver. */
export interface DeliverNotificationsInput {
  readonly tenantId: string;
  readonly notificationIds: readonly string[];
}

/**
 * The activities that deliver notifications; to be scheduled with `DELIVERY_RETRY` and `HEARTBEAT_TIMEOUT_MS`. They
 * send heartbeats while they wait for a free slot or for the other side, whose time-outs the gateway sets.
 */
export function createNotificationActivities({ db, config, observe, ...gateways }: NotificationDeps) {
  const channels = channelsOver(gateways);
  const closed = NOTIFICATION_CHANNELS.filter((channel) => channels[channel] === undefined);
  const limit = pLimit(MAIL_CONNECTIONS);

  /** Delivers the notifications that are pending, and throws while one still is, so that Temporal retries. */
  async function deliverNotifications({ tenantId, notificationIds }: DeliverNotificationsInput): Promise<void> {
    if (closed.length > 0)
      await db.inTenant(tenantId, (tx) => keepNotifications(tx, { tenantId, ids: notificationIds, channels: closed }));
    if (closed.length === NOTIFICATION_CHANNELS.length) return;
    if (config.NOTIFICATIONS_PAUSED) return refuseWhilePaused(db, { tenantId, notificationIds });
    await withHeartbeat(async () => {
      const { cancellationSignal } = Context.current();
      const outcomes = await Promise.all(
        notificationIds.map((id) =>
          limit(async () => {
            if (cancellationSignal.aborted) return 'busy'; // another attempt takes over
            const outcome = await deliverNotification(db, channels, { tenantId, id });
            observe?.(outcome);
            return outcome;
          }),
        ),
      );
      failWhileWaiting(outcomes, attemptOf(notificationIds));
    });
  }

  return { deliverNotifications };
}

async function refuseWhilePaused(db: Db, { tenantId, notificationIds }: DeliverNotificationsInput): Promise<void> {
  const waiting = await db.inTenant(tenantId, (tx) =>
    countPendingNotifications(tx, { tenantId, ids: notificationIds }),
  );
  if (waiting === 0) return;
  throw ApplicationFailure.create({
    type: 'notifications_paused' satisfies NotificationFailure,
    nextRetryDelay: jittered(PAUSED_RETRY_DELAY_MS, attemptOf(notificationIds)),
    message:
      `NOTIFICATIONS_PAUSED=true keeps ${waiting} notification(s) back; they go out once it is false and ` +
      `the worker is restarted.`,
  });
}

/** Which attempt at which delivery this is: what waits for one mail server comes back at times of its own. */
function attemptOf([id = '']: readonly string[]): { id: string; attempt: number } {
  return { id, attempt: Context.current().info.attempt };
}

/** The message stays in the workflow's history, so it holds numbers and no personal data. */
function failWhileWaiting(
  outcomes: readonly NotificationOutcome[],
  attempt: { readonly id: string; readonly attempt: number },
): void {
  const unsent = outcomes.filter((outcome) => outcome === 'retry').length;
  if (unsent > 0) {
    throw ApplicationFailure.create({
      type: 'mail_not_delivered' satisfies NotificationFailure,
      nextRetryDelay: deliveryPauseMs(attempt),
      message: `${unsent} of ${outcomes.length} notification(s) could not be handed over yet.`,
    });
  }
  if (outcomes.includes('busy')) {
    throw ApplicationFailure.create({
      type: 'notification_busy' satisfies NotificationFailure,
      nextRetryDelay: jittered(BUSY_RETRY_DELAY_MS, attempt),
      message: 'Another process is delivering; looking again whether it did.',
    });
  }
}
