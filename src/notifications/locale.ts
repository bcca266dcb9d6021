import { DateTime } from 'luxon';

/** Languages that we write in. */
export type Locale = 'fr' | 'en';

/** The language for a user's BCP 47 tag: `fr-CA` → `fr`; what we do not speak → `en`. */
export function localeOf(tag: string): Locale {
  return /^fr([-_]|$)/i.test(tag.trim()) ? 'fr' : 'en';
}

/** `Saturday 28 November 2026 at 10:00 CET`, as the language writes it. `at` in milliseconds since the epoch. */
export function formatInstant(at: number, { locale, timeZone }: { locale: Locale; timeZone: string }): string {
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : 'fr-FR', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(at);
}

/** `in 5 days`, `tomorrow`, `today`: days of the calendar in `timeZone`, as the language says them. */
export function formatDaysUntil(
  at: number,
  { now, locale, timeZone }: { now: number; locale: Locale; timeZone: string },
): string {
  const dayOf = (instant: number) => DateTime.fromMillis(instant, { zone: timeZone }).startOf('day');
  const days = Math.round(dayOf(at).diff(dayOf(now), 'days').days);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day');
}
