import test from 'ava';
import fc from 'fast-check';
import { isDeeperThan } from './json-body.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

test('isDeeperThan counts arrays and objects, and none that is within a text', (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.nat(8), (text, deepest) => {
      t.is(isDeeperThan(Buffer.from(text), deepest), depthOf(JSON.parse(text)) > deepest, text);
    }),
  );
  t.false(isDeeperThan(Buffer.from('{"a":"[[[{{{","b\\"[[[":"\\\\"}'), 1));
});
