import test from 'ava';
import { countsOfAva, summary } from './test-counts.ts';

test('countsOfAva counts passed tests line by line and failures of every kind', (t) => {
  const output =
    '\n  ✔ a\n    ℹ ✔ said by a\n  ✔ b (1.1s)\n  ✘ [fail]: c\n  ─\n\n  2 tests failed\n  1 hook failed\n  1 test ' +
    'skipped\n  1 uncaught exception\n';
  t.deepEqual(countsOfAva(output, false), { passed: 2, failed: 4, skipped: 1 });
});

test('countsOfAva counts a run that failed without a failing test as one failure', (t) => {
  t.deepEqual(countsOfAva('  ✖ No tests found in x.test.ts\n', false), { passed: 0, failed: 1, skipped: 0 });
});

test('summary makes a skipped test a failure where none may be skipped', (t) => {
  const counts = { passed: 3, failed: 0, skipped: 2 };
  t.is(summary(counts, { skippingAllowed: true }), '3 passed, 0 failed, 2 skipped');
  t.is(summary(counts, { skippingAllowed: false }), '3 passed, 2 failed');
});
