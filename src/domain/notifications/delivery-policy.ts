/** Hand-overs of one notification to the mail server before it goes to the dead letters. */
export const DELIVERY_MAX_ATTEMPTS = 15;

/**
 * Retries of the `deliverNotifications` activity. It has no limit of its own: the attempts are counted in each
 * notification's row, so that a pause, a crash or another process at work use none up. 15 attempts take 6.4 hours.
 */
export const DELIVERY_RETRY = {
  initialInterval: '10 seconds',
  backoffCoefficient: 2,
  maximumInterval: '1 hour',
} as const;

/** One attempt of the activity at most; it is alive while it sends heartbeats. */
export const DELIVERY_START_TO_CLOSE_MS = 600_000;
export const DELIVERY_HEARTBEAT_TIMEOUT_MS = 30_000;

/** How soon the activity looks again while notifications are paused, or another process holds one of its own. */
export const PAUSED_RETRY_DELAY_MS = 30_000;
export const BUSY_RETRY_DELAY_MS = 5_000;

/** Header by which a mailbox recognises a message that was handed over twice. */
export function notificationMessageId(notificationId: string): string {
  return `<notification.${notificationId}@steadfast>`;
}
