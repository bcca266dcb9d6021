import { LRUCache } from 'lru-cache';
import type { Caller } from './roles.ts';

const MAX_TOKENS = 1_000;
/**
 * For at most this long a token is accepted after its key was withdrawn; the time for which the key set is cached comes
 * on top.
 */
const MAX_AGE_MS = 60_000;

/** The caller of a token that was verified. */
export interface KnownCaller {
  readonly caller: Caller;
  /** From when on the token is refused, in milliseconds since 1970: its `exp` and the tolerance for clocks. */
  readonly expiresAtMs: number;
}

/** The callers of tokens verified before, so that their next requests need no signature check. */
export interface TokenCache {
  get(token: string): KnownCaller | undefined;
  set(token: string, known: KnownCaller): void;
}

/** Keeps 1,000 tokens, each for a minute at most and never beyond its end; `now` in milliseconds since 1970. */
export function createTokenCache(now: () => number = Date.now): TokenCache {
  const callers = new LRUCache<string, KnownCaller>({
    max: MAX_TOKENS,
    ttl: MAX_AGE_MS,
    ttlResolution: 0,
    perf: { now },
  });
  return {
    get: (token) => callers.get(token),
    set: (token, { caller, expiresAtMs }) => {
      const ttl = Math.min(expiresAtMs - now(), MAX_AGE_MS);
      // To the cache, 0 would mean for ever.
      if (ttl > 0) callers.set(token, { caller, expiresAtMs }, { ttl });
    },
  };
}
