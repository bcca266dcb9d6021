import type { Config } from '../config/config.ts';

/** `critical`: promises are not being kept now; `warning`: they will not be, or some were not. */
type AlertSeverity = 'warning' | 'critical';

/** One observation of a condition: it held when it was checked. */
export interface Finding {
  readonly tenantId: string;
  /** Observations of a kind with one key are one alert; a source or a task queue, say. */
  readonly key: string;
  readonly severity: AlertSeverity;
  /** One sentence for operators. */
  readonly summary: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** The value of `openKey` by which an observation finds its open alert. */
export function openKeyOf({ kind, key }: { kind: string; key: string }): string {
  return `${kind}:${key}`;
}

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
