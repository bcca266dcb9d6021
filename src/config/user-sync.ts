import { z } from 'zod';
import { cron, integer, list, serviceNames, type Setting } from './setting.ts';

/** Settings of user sync: services, retries, audit. */
export const userSyncSettings = {
  SYNC_SERVICES: ['gestion_commerciale,accounting,portfolio', serviceNames],
  SYNC_RETRY_DELAYS: ['1000,5000,15000,60000,300000', list.pipe(z.array(integer(0)).min(1))],
  MAX_SYNC_RETRY_ATTEMPTS: ['5', integer(0)],
  SYNC_CONFIRMATION_TIMEOUT_MS: ['30000', integer(1)],
  SYNC_RETRY_RESET_MS: ['86400000', integer(1)],
  SYNC_CHECK_CRON: ['*/30 * * * *', cron],
} as const satisfies Record<string, Setting>;
