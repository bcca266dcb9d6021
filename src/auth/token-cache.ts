import { LRUCache } from 'lru-cache';
import type { Caller } from './roles.ts';

const MAX_TOKENS = 1_000;
/**
 * For at most this long a token is accepted after its key was withdrawn; the time for which the key set is cached comes
 * on top.
 */
const MAX_AGE_MS = 60_000;

/** The callers of tokens verified before, so that their next requests need no signature check. */
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
