import type { Locale } from './locale.ts';
import type { NotificationKind } from './templates.ts';

/** What text messages may say: no name, since whoever holds the telephone reads it. */
interface SmsFacts {
  /** `in 5 days`, `tomorrow`, `today`. */
  readonly daysLeft: string;
  readonly appUrl: string;
}

/**
 * What a user is told by text message, by kind and language; with a link of 60 characters it fits into one message of
 * 160.
 */
export const SMS_TEMPLATES: Readonly<Record<NotificationKind, Readonly<Record<Locale, (facts: SmsFacts) => string>>>> =
  {
    profile_reminder: {
      fr: ({ daysLeft, appUrl }) => `Votre profil est à compléter (échéance : ${daysLeft}). ${appUrl}`,
      en: ({ daysLeft, appUrl }) => `Please complete your profile (due ${daysLeft}). ${appUrl}`,
    },
    profile_expired: {
      fr: ({ appUrl }) =>
        `Profil non complété à temps : votre compte est désactivé. Un administrateur peut le rouvrir. ${appUrl}`,
      en: ({ appUrl }) =>
        'Your profile was not completed in time: your account is deactivated. An administrator can reopen it. ' +
        appUrl,
    },
  };
