import { z } from 'zod';
import { integer, number, optional, type Setting } from './setting.ts';

/** Settings of the alert checks. */
export const alertsSettings = {
  ALERT_WEBHOOK_URL: ['', optional.pipe(z.url().optional())],
  ALERT_WEBHOOK_SECRET: ['', optional.pipe(z.string().min(16, 'must have 16 characters at least').optional())],
  ALERT_CHECK_INTERVAL_MS: ['15000', integer(100)],
  ALERT_SYNC_FAILURE_RATE: ['0.2', number(0, 1)],
  ALERT_SYNC_FAILURE_MINIMUM: ['5', integer(1)],
  ALERT_SYNC_WINDOW_MINUTES: ['60', number(0.01)],
  ALERT_DELETION_MINUTES: ['60', number(0)],
  ALERT_DEAD_LETTER_DEPTH: ['1', integer(1)],
  ALERT_HORIZON_STALL_MS: ['60000', integer(1)],
  ALERT_SCHEDULE_TO_START_MS: ['30000', integer(1)],
  ALERT_NO_WORKER_MS: ['60000', integer(1)],
} as const satisfies Record<string, Setting>;
