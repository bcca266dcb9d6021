import test from 'ava';
import { loadConfig } from '../config/config.ts';
import { DATABASE_LIMITS_MS } from './limits.ts';

test('each limit of the database lies above the one within it, and below what a request may take', (t) => {
  const limits = Object.values(DATABASE_LIMITS_MS);
  t.deepEqual(
    limits,
    limits.toSorted((a, b) => a - b),
  );
  t.is(new Set(limits).size, limits.length);
  t.true(DATABASE_LIMITS_MS.transaction < 60_000 && loadConfig({}).COMMAND_TIMEOUT_MS < 60_000);
});
