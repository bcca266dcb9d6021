import { cron, integer, type Setting } from './setting.ts';

/** Settings of the watchdog over processes. */
export const processSettings = {
  PROCESS_STUCK_AFTER_MS: ['300000', integer(1)],
  PROCESS_WATCH_CRON: ['*/5 * * * *', cron],
} as const satisfies Record<string, Setting>;
