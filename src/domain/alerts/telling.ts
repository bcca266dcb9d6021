/** One place where an alert is told. */
export type Target =
  | { readonly kind: 'email'; readonly address: string }
  | { readonly kind: 'webhook'; readonly url: string };

/** Channel name of the webhook; where it leads is a setting. */
export const WEBHOOK_CHANNEL = 'webhook';

const EMAIL_PREFIX = 'email:';
const WEBHOOK_PREFIX = `${WEBHOOK_CHANNEL}:`;

/** The channel of an administrator's address. */
export function emailChannel(address: string): string {
  return `${EMAIL_PREFIX}${address}`;
}

/** Where a channel leads to; undefined: it is not configured any more. */
export function targetOf(channel: string, webhookUrl: string | undefined): Target | undefined {
  if (channel.startsWith(EMAIL_PREFIX)) return { kind: 'email', address: channel.slice(EMAIL_PREFIX.length) };
  return channel === WEBHOOK_CHANNEL && webhookUrl !== undefined ? { kind: 'webhook', url: webhookUrl } : undefined;
}

/** A target as it is kept, so that it is found again whatever the settings say by then. */
export function writeTarget(target: Target): string {
  return target.kind === 'email' ? emailChannel(target.address) : `${WEBHOOK_PREFIX}${target.url}`;
}

/** A target that was kept. */
export function readTarget(kept: string): Target {
  return kept.startsWith(WEBHOOK_PREFIX)
    ? { kind: 'webhook', url: kept.slice(WEBHOOK_PREFIX.length) }
    : { kind: 'email', address: kept.slice(EMAIL_PREFIX.length) };
}

/** The channel that leads, or led, to a target that was kept. */
export function channelOf(kept: string): string {
  return readTarget(kept).kind === 'webhook' ? WEBHOOK_CHANNEL : kept;
}

/** What an alert keeps of who is told. */
export interface Told {
  readonly id: string;
  /** Channels that still have to be told. */
  readonly undelivered: readonly string[];
  /** Targets that were told, and still have to be told that it is over. */
  readonly told: readonly string[];
  /** The id that it is told by; null: it was not told yet. */
  readonly toldAs: string | null;
  readonly isFlapping: boolean;
  readonly endToldAt: Date | null;
}

/** A condition that comes back within this time after it was told to be over comes and goes. */
const FLAP_WINDOW_MS = 3_600_000;

/**
 * How an alert is told for the first time, after `before`, the last one about its condition. Where that one was told,
 * and not yet that it is over, nobody hears of this one before its own end.
 */
export function firstTelling(alert: Told, before: Told | undefined, now: Date): Omit<Told, 'id' | 'endToldAt'> {
  if (before === undefined || before.told.length === 0) {
    const overSince = before?.endToldAt ?? null;
    const isFlapping = overSince !== null && now.getTime() - overSince.getTime() < FLAP_WINDOW_MS;
    return { undelivered: alert.undelivered, told: alert.told, toldAs: alert.id, isFlapping };
  }
  const known = new Set(before.told.map(channelOf));
  const still = new Set([...before.undelivered, ...alert.undelivered].filter((channel) => !known.has(channel)));
  return {
    undelivered: [...still],
    told: before.told,
    toldAs: before.toldAs ?? before.id,
    isFlapping: before.isFlapping,
  };
}
