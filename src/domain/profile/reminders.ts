import { DateTime } from 'luxon';

/** When reminders are due. */
export interface ReminderSettings {
  /** Days before the deadline, fractions allowed. */
  readonly marksDays: readonly number[];
  /** Hour of the day, 0–23, in `timeZone`; null: exactly the deadline minus the mark. */
  readonly hour: number | null;
  /** IANA name. */
  readonly timeZone: string;
}

/** One instant at which the user is to be reminded. */
export interface Reminder {
  readonly markDays: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const DAY_MS = 86_400_000;

/**
 * The reminders of a deadline (milliseconds since the epoch), earliest first, all of them before it.
 * A whole mark is `hour` o'clock on the deadline's local date minus that many days, so it keeps its hour when
 * the clocks change; with a fraction, or without `hour`, it is exactly the deadline minus the mark.
 */
export function remindersOf(deadline: number, { marksDays, hour, timeZone }: ReminderSettings): Reminder[] {
  const localDeadline = DateTime.fromMillis(deadline, { zone: timeZone });
  return marksDays
    .map((markDays) => ({
      markDays,
      at:
        hour === null || !Number.isInteger(markDays)
          ? deadline - markDays * DAY_MS
          : localDeadline.minus({ days: markDays }).startOf('day').set({ hour }).toMillis(),
    }))
    .filter(({ at }) => at < deadline)
    .toSorted((a, b) => a.at - b.at);
}
