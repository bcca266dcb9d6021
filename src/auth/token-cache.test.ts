import test from 'ava';
import { createTokenCache } from './token-cache.ts';

const caller = { subject: 'ada', role: 'user', tenantId: 'default' } as const;
const START_MS = 1_000_000;
const HOUR_MS = 3_600_000;
const until = (expiresAtMs: number) => ({ caller, expiresAtMs });

test('a token is kept for a minute, and not beyond its end', (t) => {
  let nowMs = START_MS;
  const tokens = createTokenCache(() => nowMs);
  tokens.set('long', until(START_MS + HOUR_MS));
  tokens.set('short', until(START_MS + 30_000));
  tokens.set('over', until(START_MS));
  t.deepEqual(
    ['long', 'short', 'over', 'another'].map((token) => tokens.get(token)?.caller),
    [caller, caller, undefined, undefined],
  );
  nowMs += 30_001;
  t.deepEqual(
    ['long', 'short'].map((token) => tokens.get(token)?.caller),
    [caller, undefined],
  );
  nowMs += 30_000;
  t.is(tokens.get('long'), undefined);
});

test('the tokens of a thousand callers are kept; the one that was used longest ago makes room', (t) => {
  const tokens = createTokenCache(() => START_MS);
  for (let index = 0; index < 1_000; index += 1) tokens.set(String(index), until(START_MS + HOUR_MS));
  t.deepEqual(tokens.get('0'), until(START_MS + HOUR_MS));
  tokens.set('1000', until(START_MS + HOUR_MS));
  t.deepEqual(
    ['0', '1', '2', '1000'].map((token) => tokens.get(token)?.caller),
    [caller, undefined, caller, caller],
  );
});
