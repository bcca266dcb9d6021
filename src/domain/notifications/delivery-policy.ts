/** Attempts to deliver one notification, before it goes to the dead letters. */
export const DELIVERY_MAX_ATTEMPTS = 15;

/**
 * Retries of the `deliverNotifications` activity. Without a limit of its own: attempts are counted in each
 * notification's row, so that a pause, a crash or a lock held by another process use none up. 15 attempts take 6.4
 * hours.
 */
export const DELIVERY_RETRY = {
  initialInterval: '10 seconds',
  backoffCoefficient: 2,
  maximumInterval: '1 hour',
} as const;

/** Longest time of one attempt of the activity; heartbeats show that it is alive. */
export const DELIVERY_START_TO_CLOSE_MS = 600_000;

/** Pause before the next attempt while notifications are paused, or another process holds the lock of one of them. */
export const PAUSED_RETRY_DELAY_MS = 30_000;
export const BUSY_RETRY_DELAY_MS = 5_000;

/** Header by which a mailbox recognises a message that was sent twice. */
export function notificationMessageId(notificationId: string): string {
  return `<notification.${notificationId}@steadfast>`;
}
