import { globSync } from 'node:fs';

/** All tests, as package.json has them for ava. */
const ALL = ['{src,test,tools,packages}/**/*.test.ts'];

/**
 * What `npm run test:quick` leaves out: whatever starts, kills or restarts processes, installs packages, needs a
 * browser or Kafka, or throws random requests at the product; and the few files that wait longest, for every end of
 * something. Any other test file is in it.
 */
const LEFT_OUT: readonly string[] = [
  'test/chaos/**',
  'test/crash/**',
  'test/deploy/**',
  'test/fuzz/**',
  'test/start-up/**',
  'test/sync-helper/**',
  'test/telemetry/**',
  'test/**/*kafka*',
  'test/**/*outage*',
  'test/http/server-process.test.ts',
  'test/maintenance/erasure.test.ts',
  'test/operations/priority.test.ts',
  'test/orders/every-end.test.ts',
  'test/**/reopen.test.ts',
  'test/routing-slips/drawn-slips.test.ts',
];

/** The test files of a quick run. */
export function quickTests(): string[] {
  return globSync(ALL, { exclude: [...LEFT_OUT, '**/node_modules/**'] }).toSorted();
}
