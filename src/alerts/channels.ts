import type { Config } from '../config/config.ts';
import { emailChannel, WEBHOOK_CHANNEL } from '../domain/alerts/telling.ts';

/** The channels that a new alert goes out by. */
export function alertChannels(config: Pick<Config, 'SMTP_URL' | 'ADMIN_EMAILS' | 'ALERT_WEBHOOK_URL'>): string[] {
  const addresses = config.SMTP_URL === undefined ? [] : [...new Set(config.ADMIN_EMAILS)];
  return [...addresses.map(emailChannel), ...(config.ALERT_WEBHOOK_URL === undefined ? [] : [WEBHOOK_CHANNEL])];
}
