import type { Config } from '../../config/config.ts';
import { ONBOARDING_ACTIVITIES } from '../../db/routing-slips/onboarding-activities.ts';
import { StepFailure } from '../../domain/process/step-work.ts';
import { ACTIVITY_CAUSES, type ActivityCause } from '../../domain/routing-slips/codes.ts';
import type { MailGateway } from '../../gateways/mail.ts';
import { PermanentDeliveryError } from '../../gateways/permanent-error.ts';
import { localeOf } from '../../notifications/locale.ts';
import { renderMessage } from '../../notifications/message.ts';
import { WELCOME_TEMPLATES } from '../../notifications/templates.ts';
import { remoteActivity, type LegFunctions } from './leg-functions.ts';

/** What a welcome is sent by. */
export interface WelcomeDeps {
  /** Undefined: no mail server is configured, and nobody is welcomed. */
  readonly mail: MailGateway | undefined;
  readonly config: Pick<Config, 'NOTIFICATIONS_PAUSED' | 'PUBLIC_APP_URL'>;
}

/** Hands a welcome over to the mail server. */
export function sendWelcomeLeg({ mail, config }: WelcomeDeps): LegFunctions {
  return remoteActivity(ONBOARDING_ACTIVITIES.send_welcome, {
    call: async ({ processId, leg, arguments: { email, companyName, locale: tag } }) => {
      if (mail === undefined) return { isDone: true, result: { isWelcomed: false } };
      if (config.NOTIFICATIONS_PAUSED) throw failure('welcome_paused');
      const locale = localeOf(tag);
      const facts = { companyName: companyName ?? null, appUrl: config.PUBLIC_APP_URL };
      try {
        await mail.send({
          to: email,
          ...renderMessage({ locale, ...WELCOME_TEMPLATES[locale](facts) }),
          // Header by which a mailbox recognises a message that was sent twice.
          messageId: `<routing-slip.${processId}.${leg.replace(':', '.')}@steadfast>`,
        });
      } catch (error) {
        // What the mail server says may name the recipient.
        if (!(error instanceof PermanentDeliveryError)) throw failure('welcome_not_sent');
        const { detail } = ACTIVITY_CAUSES.welcome_refused;
        return {
          isDone: false,
          code: 'welcome_refused' satisfies ActivityCause,
          message: `${detail} (${error.status})`,
        };
      }
      return { isDone: true, result: { isWelcomed: true } };
    },
    skip: () => ({ isWelcomed: false }),
  });
}

function failure(code: ActivityCause): StepFailure {
  return new StepFailure<ActivityCause>(code, ACTIVITY_CAUSES[code].detail);
}
