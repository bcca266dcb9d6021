import { DateTime } from 'luxon';

/** When reminders are due. */
export interface ReminderSettings {
  /** Days before the deadline, fractions allowed. */
  readonly marksDays: readonly number[];
  /** Hour of the day, 0–23, in `timeZone`; null: exactly the deadline minus the mark. */
  readonly hour: number | null;
  /** IANA name. */
  readonly timeZone: string;
  /** By how much a reminder at `hour` comes later at most, in milliseconds; absent: not at all. */
  readonly spreadMs?: number;
  /** The user's part of it, from 0 to below 1. */
  readonly spreadShare?: number;
}

/** One instant at which the user is to be reminded. */
export interface Reminder {
  readonly markDays: number;
  /** The mark itself, in milliseconds since the epoch: it is settled by what happens later. */
  readonly markAt: number;
  /** When the user is reminded: at the mark, or a little later. */
  readonly at: number;
}

const DAY_MS = 86_400_000;

/**
 * The reminders of a deadline (milliseconds since the epoch), earliest first, all of them before it.
 * A whole mark is `hour` o'clock on the deadline's local date minus that many days, so it keeps its hour when
 * the clocks change; with a fraction, or without `hour`, it is exactly the deadline minus the mark. All users of a time
 * zone share an hour, so each is reminded by its share of `spreadMs` later, still before the deadline.
 */
export function remindersOf(
  deadline: number,
  { marksDays, hour, timeZone, spreadMs = 0, spreadShare = 0 }: ReminderSettings,
): Reminder[] {
  const localDeadline = DateTime.fromMillis(deadline, { zone: timeZone });
  return marksDays
    .map((markDays): Reminder => {
      if (hour === null || !Number.isInteger(markDays)) {
        const exactly = deadline - markDays * DAY_MS;
        return { markDays, markAt: exactly, at: exactly };
      }
      const markAt = localDeadline.minus({ days: markDays }).startOf('day').set({ hour }).toMillis();
      return { markDays, markAt, at: markAt + Math.floor(Math.min(spreadMs, deadline - markAt) * spreadShare) };
    })
    .filter(({ markAt }) => markAt < deadline)
    .toSorted((a, b) => a.at - b.at);
}
