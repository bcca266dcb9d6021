import test from 'ava';
import { createRemembered } from './remembered.ts';

const caller = { subject: 'ada', role: 'user', tenantId: 'default' } as const;
const HOUR_S = 3_600;

test('a token is remembered for a minute, and not beyond its end', (t) => {
  let now = 0;
  const tokens = createRemembered(() => now);
  tokens.remember('long', caller, HOUR_S);
  tokens.remember('short', caller, 30);
  t.deepEqual([tokens.recall('long'), tokens.recall('short'), tokens.recall('another')], [caller, caller, undefined]);
  now = 30_000;
  t.deepEqual([tokens.recall('long'), tokens.recall('short')], [caller, undefined]);
  now = 60_000;
  t.is(tokens.recall('long'), undefined);
});

test('the tokens of a thousand callers are remembered; the one that was verified longest ago makes room', (t) => {
  const tokens = createRemembered(() => 0);
  for (let index = 0; index <= 1_000; index += 1) tokens.remember(String(index), caller, HOUR_S);
  t.deepEqual([tokens.recall('0'), tokens.recall('1'), tokens.recall('1000')], [undefined, caller, caller]);
});
