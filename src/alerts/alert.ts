import type { Config } from '../config/config.ts';

/** `critical`: promises are not being kept now; `warning`: they will not be, or some were not. */
type AlertSeverity = 'warning' | 'critical';

/** One sighting of a condition. */
export interface Finding {
  readonly tenantId: string;
  /** What makes two sightings of a kind the same alert, such as a source or a task queue. */
  readonly key: string;
  readonly severity: AlertSeverity;
  /** One sentence for operators. */
  readonly summary: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** The value of `openKey` by which sightings find their open alert. */
export function openKeyOf({ kind, key }: { kind: string; key: string }): string {
  return `${kind}:${key}`;
}

/** Channel name of the webhook. */
export const WEBHOOK_CHANNEL = 'webhook';

const EMAIL_PREFIX = 'email:';

/** Everybody who is told of a new alert, as channel names. */
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
