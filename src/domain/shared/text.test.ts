import test from 'ava';
import { findUnstorableText, isStorableText, toStorableText } from './text.ts';

const HALF_A_PAIR = '\ud83d';

test('a text with NUL or half a pair of surrogates is not storable, and neither is what is no text', (t) => {
  for (const value of ['', 'Zoë', '😀']) t.true(isStorableText(value), value);
  for (const value of ['a\0', HALF_A_PAIR, 7, null, undefined, {}]) t.false(isStorableText(value));
});

test('toStorableText leaves a storable text as it is', (t) => {
  t.is(toStorableText('Zoë 😀\n'), 'Zoë 😀\n');
});

test('toStorableText puts a blank for NUL, and mends a character that it cut in two', (t) => {
  t.is(toStorableText('a\0b'), 'a b');
  t.is(toStorableText('a😀', 2), 'a\ufffd');
});

test('findUnstorableText names the way to a value or key that PostgreSQL would refuse', (t) => {
  t.is(findUnstorableText({ a: ['b', { c: 'd' }], e: null, f: 1 }), undefined);
  t.deepEqual(findUnstorableText({ a: ['b', { c: 'd\0' }] }), ['a', 1, 'c']);
  t.deepEqual(findUnstorableText({ a: { [HALF_A_PAIR]: 1 } }), ['a', '(a key)']);
});

test('findUnstorableText reads a value however deep it is nested', (t) => {
  let root: unknown = '\0';
  for (let depth = 0; depth < 20_000; depth += 1) root = [root];
  t.is(findUnstorableText(root)?.length, 20_000);
});
