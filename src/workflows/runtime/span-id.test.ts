import test from 'ava';
import { spanIdOf } from './span-id.ts';

test('spanIdOf is FNV-1a of 64 bits', (t) => {
  t.is(spanIdOf(''), 'cbf29ce484222325');
  t.is(spanIdOf('a'), 'af63dc4c8601ec8c');
  t.is(spanIdOf('foobar'), '85944171f73967e8');
});
