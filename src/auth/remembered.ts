import type { Caller } from './roles.ts';

const MAX_TOKENS = 1_000;
/**
 * A key that is withdrawn counts this long at most for tokens that it signed; what the key set itself is kept for comes
 * on top.
 */
const MAX_AGE_MS = 60_000;

/** Whom valid tokens name, so that a caller's next requests cost no signature check. */
export interface Remembered {
  recall(token: string): Caller | undefined;
  /** `expiresAt`: the token's `exp`, in seconds. */
  remember(token: string, caller: Caller, expiresAt: number): void;
}

/** Remembers the latest 1,000 tokens, each for a minute at most and never beyond its end; `now` in milliseconds. */
export function createRemembered(now: () => number = Date.now): Remembered {
  const known = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();
  return {
    recall: (token) => {
      const found = known.get(token);
      return found === undefined || found.untilMs <= now() ? undefined : found.caller;
    },
    remember: (token, caller, expiresAt) => {
      known.delete(token); // to the end of the line
      known.set(token, { caller, untilMs: Math.min(expiresAt * 1_000, now() + MAX_AGE_MS) });
      if (known.size <= MAX_TOKENS) return;
      const [oldest = ''] = known.keys();
      known.delete(oldest);
    },
  };
}
