import { jittered } from '../shared/spread.ts';

/** Attempts to deliver one notification, before it goes to the dead letters. */
export const DELIVERY_MAX_ATTEMPTS = 15;

/**
 * Retries of the `deliverNotifications` activity where it fails without naming a pause. Without a limit of its own:
 * attempts are counted in each notification's row, so that a pause, a crash or a lock held by another process use none
 * up. 15 attempts take about 6.4 hours.
 */
export const DELIVERY_RETRY = {
  initialInterval: 10_000,
  backoffCoefficient: 2,
  maximumInterval: 3_600_000,
} as const;

/** The pause after so many attempts to hand over, in milliseconds: that of `DELIVERY_RETRY`, with jitter. */
export function deliveryPauseMs({ id, attempt }: { id: string; attempt: number }): number {
  const { initialInterval, backoffCoefficient, maximumInterval } = DELIVERY_RETRY;
  return jittered(Math.min(initialInterval * backoffCoefficient ** (attempt - 1), maximumInterval), { id, attempt });
}

/** Longest time of one attempt of the activity; heartbeats show that it is alive. */
export const DELIVERY_START_TO_CLOSE_MS = 600_000;

/** Pause before the next attempt while notifications are paused, or another process holds the lock of one of them. */
export const PAUSED_RETRY_DELAY_MS = 30_000;
export const BUSY_RETRY_DELAY_MS = 5_000;

/** Header by which a mailbox recognises a message that was sent twice. */
export function notificationMessageId(notificationId: string): string {
  return `<notification.${notificationId}@steadfast>`;
}
