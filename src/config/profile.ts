import { z } from 'zod';
import { cron, integer, list, number, optional, timeZone, type Setting } from './setting.ts';

/** Settings of profiles: deadline, reminders, audit. */
export const profileSettings = {
  PROFILE_COMPLETION_DEADLINE_DAYS: ['7', number(0)],
  MAX_DELETIONS_PER_DAY: ['5', integer(1)],
  PROFILE_REMINDER_MARKS_DAYS: ['5,3,1', list.pipe(z.array(number(0)))],
  MAX_PROFILE_REMINDERS: ['3', integer(0)],
  REMINDER_HOUR: ['10', optional.pipe(integer(0, 23).optional())],
  REMINDER_SPREAD_MINUTES: ['30', number(0, 1_440)],
  TIME_ZONE: ['Europe/Paris', timeZone],
  PROFILE_CHECK_CRON: ['0 10 * * *', cron],
} as const satisfies Record<string, Setting>;
