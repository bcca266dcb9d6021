import type { Locale } from './locale.ts';
import type { MessageTemplate } from './message.ts';

/** What a notification is about. */
export type NotificationKind = 'profile_reminder' | 'profile_expired';

/** What the templates for users may say. */
interface UserFacts {
  readonly name: string | null;
  /** The deadline, written out in the recipient's language. */
  readonly deadline: string;
  /** `in 5 days`, `tomorrow`, `today`. */
  readonly daysLeft: string;
  readonly appUrl: string;
}

/** What the templates for administrators may say: no more of a person than they need to find them. */
interface AdminFacts {
  readonly userId: string;
  readonly deadline: string;
}

type Template = (facts: UserFacts) => Omit<MessageTemplate, 'locale'>;

/** What a user is told, by kind and language. */
export const USER_TEMPLATES: Readonly<Record<NotificationKind, Readonly<Record<Locale, Template>>>> = {
  profile_reminder: {
    fr: ({ name, deadline, daysLeft, appUrl }) => ({
      subject: `Votre profil est à compléter (échéance : ${daysLeft})`,
      greeting: greeting('fr', name),
      paragraphs: [
        `Votre profil n'est pas encore complet. Vous avez jusqu'au ${deadline} pour le compléter (échéance : ` +
          `${daysLeft}).`,
        "Passé cette date, votre compte sera désactivé jusqu'à ce qu'un administrateur le rouvre.",
      ],
      link: { label: 'Compléter mon profil : ', url: appUrl },
      closing: "À bientôt,\nL'équipe",
    }),
    en: ({ name, deadline, daysLeft, appUrl }) => ({
      subject: `Please complete your profile (due ${daysLeft})`,
      greeting: greeting('en', name),
      paragraphs: [
        `Your profile is not complete yet. Please complete it by ${deadline} (due ${daysLeft}).`,
        'After that, your account will be deactivated until an administrator opens it again.',
      ],
      link: { label: 'Complete my profile: ', url: appUrl },
      closing: 'See you soon,\nThe team',
    }),
  },
  profile_expired: {
    fr: ({ name, deadline, appUrl }) => ({
      subject: 'Votre compte a été désactivé',
      greeting: greeting('fr', name),
      paragraphs: [
        `Votre profil était à compléter avant le ${deadline}. Il ne l'a pas été, et votre compte est maintenant ` +
          `désactivé.`,
        "Rien n'est perdu : un administrateur peut le rouvrir et vous donner un nouveau délai. Il vous suffit de " +
          'le lui demander.',
      ],
      link: { label: 'Notre site : ', url: appUrl },
      closing: "À bientôt,\nL'équipe",
    }),
    en: ({ name, deadline, appUrl }) => ({
      subject: 'Your account has been deactivated',
      greeting: greeting('en', name),
      paragraphs: [
        `Your profile was due by ${deadline}. It was not completed, so your account is now deactivated.`,
        'Nothing is lost: an administrator can open it again and give you more time. You only need to ask.',
      ],
      link: { label: 'Our site: ', url: appUrl },
      closing: 'See you soon,\nThe team',
    }),
  },
};

/** What administrators are told; null: that kind is for the user alone. */
export const ADMIN_TEMPLATES: Readonly<
  Record<NotificationKind, ((facts: AdminFacts) => Omit<MessageTemplate, 'locale'>) | null>
> = {
  profile_reminder: null,
  profile_expired: ({ userId, deadline }) => ({
    subject: `Profile expired: user ${userId}`,
    greeting: 'Hello,',
    paragraphs: [
      `The profile of user ${userId} was due by ${deadline} and was not completed. The user is now inactive.`,
      `To give more time: POST /users/state-management/${userId}/profile/reactivate with {"extensionDays": 7}.`,
    ],
    closing: 'Steadfast',
  }),
};

/** What whoever has signed a company up is welcomed with, by language. */
export const WELCOME_TEMPLATES: Readonly<
  Record<
    Locale,
    (facts: { readonly companyName: string | null; readonly appUrl: string }) => Omit<MessageTemplate, 'locale'>
  >
> = {
  fr: ({ companyName, appUrl }) => ({
    subject: 'Bienvenue',
    greeting: greeting('fr', null),
    paragraphs: [
      companyName === null ? 'Votre compte est ouvert.' : `Le compte de ${companyName} est ouvert.`,
      'Les personnes invitées peuvent se connecter dès maintenant ; chacune a un profil à compléter.',
    ],
    link: { label: 'Se connecter : ', url: appUrl },
    closing: "À bientôt,\nL'équipe",
  }),
  en: ({ companyName, appUrl }) => ({
    subject: 'Welcome',
    greeting: greeting('en', null),
    paragraphs: [
      companyName === null ? 'Your account is open.' : `The account of ${companyName} is open.`,
      'Those who were invited can log in from now on; each of them has a profile to complete.',
    ],
    link: { label: 'Log in: ', url: appUrl },
    closing: 'See you soon,\nThe team',
  }),
};

function greeting(locale: Locale, name: string | null): string {
  const hello = { fr: 'Bonjour', en: 'Hello' }[locale];
  return name === null || name.trim() === '' ? `${hello},` : `${hello} ${name},`;
}
