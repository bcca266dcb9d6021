import { final, passing, type CodeEntry } from '../shared/codes.ts';

/** Why a notification is among the dead letters. */
export const NOTIFICATION_CAUSES = {
  recipient_refused: final(
    'Recipient refused',
    'The mail server or the SMS webhook refused the notification or its recipient for good.',
    "Correct the user's address or number, then replay it; discard it if nobody needs it any more.",
  ),
  mail_server_unavailable: passing(
    'Mail server unavailable',
    'The notification could not be handed over at any attempt, or no mail server is configured.',
    'See that the server of `SMTP_URL` takes messages, then replay it.',
  ),
  sms_unavailable: passing(
    'SMS unavailable',
    'The text message could not be handed over at any attempt, or no SMS webhook is configured.',
    'See that `SMS_WEBHOOK_URL` answers, then replay it.',
  ),
  notifications_paused: final(
    'Notifications paused',
    'NOTIFICATIONS_PAUSED keeps notifications back.',
    'Set it to false and restart, then replay it; workflows go on by themselves.',
  ),
  notification_busy: passing(
    'Notification busy',
    'Another process is delivering the notification at this moment.',
    'Replay it in a minute, should it still be parked.',
  ),
  invalid_payload: final(
    'Invalid payload',
    'The dead letter names no notification.',
    'Discard it: its payload was changed by hand, and says nothing to be delivered.',
  ),
} satisfies Record<string, CodeEntry>;
export type NotificationCause = keyof typeof NOTIFICATION_CAUSES;

/** Failures that Temporal shows of a delivery that goes on, besides the causes. */
export const NOTIFICATION_FAILURES = {
  mail_not_delivered: passing(
    'Not delivered yet',
    'Some of the notifications could not be handed over yet.',
    'Wait: it is tried for hours. See that the mail server and the SMS webhook answer.',
  ),
} satisfies Record<string, CodeEntry>;
export type NotificationFailure =
  | keyof typeof NOTIFICATION_FAILURES
  | Extract<NotificationCause, 'notifications_paused' | 'notification_busy'>;
