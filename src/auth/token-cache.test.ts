import test from 'ava';
import { createTokenCache } from './token-cache.ts';

const caller = { subject: 'ada', role: 'user', tenantId: 'default' } as const;
const START_S = 1_000;
const HOUR_S = 3_600;

test('a token is kept for a minute, and not beyond its end', (t) => {
  let nowMs = START_S * 1_000;
  const tokens = createTokenCache(() => nowMs);
  tokens.set('long', caller, START_S + HOUR_S);
  tokens.set('short', caller, START_S + 30);
  tokens.set('over', caller, START_S);
  t.deepEqual(
    ['long', 'short', 'over', 'another'].map((token) => tokens.get(token)),
    [caller, caller, undefined, undefined],
  );
  nowMs += 30_001;
  t.deepEqual(
    ['long', 'short'].map((token) => tokens.get(token)),
    [caller, undefined],
  );
  nowMs += 30_000;
  t.is(tokens.get('long'), undefined);
});

test('the tokens of a thousand callers are kept; the one that was used longest ago makes room', (t) => {
  const tokens = createTokenCache(() => START_S * 1_000);
  for (let index = 0; index < 1_000; index += 1) tokens.set(String(index), caller, START_S + HOUR_S);
  t.deepEqual(tokens.get('0'), caller);
  tokens.set('1000', caller, START_S + HOUR_S);
  t.deepEqual(
    ['0', '1', '2', '1000'].map((token) => tokens.get(token)),
    [caller, undefined, caller, caller],
  );
});
