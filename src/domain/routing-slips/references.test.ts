import test from 'ava';
import { brokenReferencesIn, depthOf, placeOf, referencesIn, resolve, type JsonObject } from './references.ts';

const parsed = (json: string): unknown => JSON.parse(json);

test('an argument takes a variable by a reference alone, wherever it stands', (t) => {
  const given = { sku: { $variable: 'sku' }, list: ['$variable', { of: { $variable: 'deep' } }], plain: 'sku' };
  t.deepEqual(referencesIn(given), [
    { path: ['sku'], variable: 'sku' },
    { path: ['list', 1, 'of'], variable: 'deep' },
  ]);
  t.deepEqual(resolve(given, { sku: 'A-1', deep: { a: [1] }, plain: 'no' }), {
    sku: 'A-1',
    list: ['$variable', { of: { a: [1] } }],
    plain: 'sku',
  });
});

test('a variable that is not there is left out, and what a variable holds is not looked at for references', (t) => {
  t.deepEqual(resolve({ a: { $variable: 'toString' }, b: { $variable: 'b' } }, { b: { $variable: 'c' }, c: 1 }), {
    b: { $variable: 'c' },
  });
});

test('an object with the key of a reference that is none is broken, and told where', (t) => {
  t.deepEqual(brokenReferencesIn({ a: { $variable: 1 }, b: [{ $variable: 'x', more: 1 }], c: { $variable: 'x' } }), [
    ['a'],
    ['b', 0],
  ]);
});

test('__proto__ is a key like any other', (t) => {
  const variables: JsonObject = JSON.parse('{"__proto__":{"admin":true}}');
  const resolved = resolve(
    parsed('{"__proto__":{"x":1},"a":{"$variable":"__proto__"},"b":{"$variable":"nobody"}}'),
    variables,
  );
  t.is(JSON.stringify(resolved), '{"__proto__":{"x":1},"a":{"admin":true}}');
  t.is(Object.getPrototypeOf(resolved), Object.prototype);
  t.is(Reflect.get({}, 'admin'), undefined);
});

test('places are written as people write them, and depth is counted no further than asked', (t) => {
  t.is(placeOf(['lines', 0, 'sku'], 'itinerary[2].arguments'), 'itinerary[2].arguments.lines[0].sku');
  t.is(placeOf(['a', 1]), 'a[1]');
  t.deepEqual([depthOf(1, 3), depthOf({}, 3), depthOf({ a: [{}] }, 3), depthOf([[[[[]]]]], 3)], [0, 1, 3, 4]);
});
