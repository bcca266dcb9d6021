import { LRUCache } from 'lru-cache';
import type { Caller } from './roles.ts';

const MAX_TOKENS = 1_000;
/**
 * A key that is withdrawn counts this long at most for tokens that it signed; what the key set itself is kept for comes
 * on top.
 */
const MAX_AGE_MS = 60_000;

/** Whom valid tokens name, so that a caller's next requests cost no signature check. */
export interface TokenCache {
  get(token: string): Caller | undefined;
  /** `expiresAt`: the token's `exp`, in seconds. */
  set(token: string, caller: Caller, expiresAt: number): void;
}

/** Keeps 1,000 tokens, each for a minute at most and never beyond its end; `now` in milliseconds since 1970. */
export function createTokenCache(now: () => number = Date.now): TokenCache {
  const callers = new LRUCache<string, Caller>({ max: MAX_TOKENS, ttl: MAX_AGE_MS, ttlResolution: 0, perf: { now } });
  return {
    get: (token) => callers.get(token),
    set: (token, caller, expiresAt) => {
      const ttl = Math.min(expiresAt * 1_000 - now(), MAX_AGE_MS);
      // One within the tolerance for clocks is valid after its end; to the cache, 0 would mean for ever.
      if (ttl > 0) callers.set(token, caller, { ttl });
    },
  };
}
