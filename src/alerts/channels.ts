import type { Config } from '../config/config.ts';

/** Channel name of the webhook. */
export const WEBHOOK_CHANNEL = 'webhook';

const EMAIL_PREFIX = 'email:';

/** The channels that a new alert goes out by. */
export function alertChannels(config: Pick<Config, 'SMTP_URL' | 'ADMIN_EMAILS' | 'ALERT_WEBHOOK_URL'>): string[] {
  const addresses = config.SMTP_URL === undefined ? [] : [...new Set(config.ADMIN_EMAILS)];
  return [
    ...addresses.map((address) => `${EMAIL_PREFIX}${address}`),
    ...(config.ALERT_WEBHOOK_URL === undefined ? [] : [WEBHOOK_CHANNEL]),
  ];
}

/** The address of an e-mail channel; undefined: it is another channel. */
export function addressOf(channel: string): string | undefined {
  return channel.startsWith(EMAIL_PREFIX) ? channel.slice(EMAIL_PREFIX.length) : undefined;
}
