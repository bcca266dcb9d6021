import { cron, integer, number, type Setting } from './setting.ts';

/** Settings of the clean-up and of bulk work. */
export const maintenanceSettings = {
  CLEANUP_CRON: ['0 0 * * *', cron],
  RETENTION_DAYS: ['30', integer(1)],
  BULK_RATE_PER_SECOND: ['20', number(0.1)],
} as const satisfies Record<string, Setting>;
