import test from 'ava';
import fc from 'fast-check';
import { remindersOf } from './reminders.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

test('remindersOf puts whole marks at the hour of the local day', (t) => {
  const deadline = Date.parse('2026-06-08T15:30:00+02:00');
  const reminders = remindersOf(deadline, { marksDays: [1, 5, 3], hour: 10, timeZone: 'Europe/Paris' });
  t.deepEqual(
    reminders.map(({ markDays, at }) => [markDays, new Date(at).toISOString()]),
    [
      [5, '2026-06-03T08:00:00.000Z'],
      [3, '2026-06-05T08:00:00.000Z'],
      [1, '2026-06-07T08:00:00.000Z'],
    ],
  );
});

test('remindersOf keeps the hour when the clocks change', (t) => {
  const deadline = Date.parse('2026-03-31T12:00:00+02:00'); // summer time began on 29 March
  const [before, after] = remindersOf(deadline, { marksDays: [5, 1], hour: 10, timeZone: 'Europe/Paris' });
  t.is(new Date(before!.at).toISOString(), '2026-03-26T09:00:00.000Z');
  t.is(new Date(after!.at).toISOString(), '2026-03-30T08:00:00.000Z');
});

test('remindersOf is exactly the deadline minus the mark without an hour or with a fraction', (t) => {
  const at = (marksDays: number[], hour: number | null): number | undefined =>
    remindersOf(100 * DAY, { marksDays, hour, timeZone: 'Asia/Tokyo' })[0]?.at;
  t.is(at([2], null), 98 * DAY);
  t.is(at([0.5], 10), 99.5 * DAY);
});

test('remindersOf leaves out what does not come before the deadline', (t) => {
  t.deepEqual(remindersOf(Date.parse('2026-06-08T09:00:00Z'), { marksDays: [0], hour: 10, timeZone: 'UTC' }), []);
});

test('remindersOf spreads what falls on the hour, each user by its share, and nothing else', (t) => {
  const spread = { marksDays: [5, 0.5], hour: 10, timeZone: 'UTC', spreadMs: 30 * MINUTE };
  const deadline = Date.parse('2026-06-08T15:30:00Z');
  const at = (spreadShare: number) => remindersOf(deadline, { ...spread, spreadShare }).map((reminder) => reminder.at);
  t.deepEqual(at(0), [Date.parse('2026-06-03T10:00:00Z'), deadline - DAY / 2]);
  t.deepEqual(at(0.5), [Date.parse('2026-06-03T10:15:00Z'), deadline - DAY / 2]);
});

test('remindersOf keeps each reminder before the deadline, however wide the spread', (t) => {
  const deadline = Date.parse('2026-06-08T10:00:01Z');
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (spreadShare) =>
        remindersOf(deadline, { marksDays: [0, 1], hour: 10, timeZone: 'UTC', spreadMs: DAY, spreadShare }).every(
          ({ markAt, at }) => markAt <= at && at < deadline,
        ),
      ),
    ),
  );
});
