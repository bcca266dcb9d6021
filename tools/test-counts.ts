import { stripVTControlCharacters } from 'node:util';

/** What a run of tests came to. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const KINDS =
  '(?:test|hook)s? failed|uncaught exceptions?|unhandled rejections?|tests? remained pending after a timeout';
const FAILURES = new RegExp(`^ {2}(\\d+) (?:${KINDS})`);

/**
 * Reads the counts from what ava prints: a line for each test that passed, since its summary leaves their number out
 * when another failed, and the summary for the rest. A run that failed counts at least one failure.
 */
export function countsOfAva(output: string, succeeded: boolean): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of stripVTControlCharacters(output).split('\n')) {
    if (/^ {2}[✔√] /.test(line)) counts.passed += 1;
    counts.skipped += Number(/^ {2}(\d+) tests? skipped/.exec(line)?.[1] ?? 0);
    counts.failed += Number(FAILURES.exec(line)?.[1] ?? 0);
  }
  if (!succeeded && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** The line that ends every run; where no test may be skipped, a skipped one is a failure. */
export function summary(
  { passed, failed, skipped }: Counts,
  { skippingAllowed }: { skippingAllowed: boolean },
): string {
  const line = `${passed} passed, ${skippingAllowed ? failed : failed + skipped} failed`;
  return skippingAllowed && skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
