import test from 'ava';
import { absenceMs } from './no-worker.ts';

const NOW = 1_000_000;
const queue = (ageMs: number | undefined, backlogAgeMs = 0) => ({
  type: 'workflow' as const,
  backlogCount: backlogAgeMs > 0 ? 1 : 0,
  backlogAgeMs,
  lastAccess: ageMs === undefined ? undefined : NOW - ageMs,
});

test('absenceMs counts nothing while an idle poll may still be open', (t) => {
  t.is(absenceMs(queue(0), NOW), 0);
  t.is(absenceMs(queue(60_000), NOW), 0);
  t.is(absenceMs(queue(90_000), NOW), 30_000);
});

test('absenceMs counts in full what tasks have waited through', (t) => {
  t.is(absenceMs(queue(50_000, 20_000), NOW), 20_000);
  t.is(absenceMs(queue(50_000, 80_000), NOW), 50_000);
  t.is(absenceMs(queue(200_000, 10_000), NOW), 140_000);
});

test('absenceMs of a queue that lists no poller is known only while tasks wait', (t) => {
  t.is(absenceMs(queue(undefined, 7_000), NOW), 7_000);
  t.is(absenceMs(queue(undefined), NOW), undefined);
});
