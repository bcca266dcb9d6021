import type { RegistrationRules } from '../../db/users/register-user.ts';
import { stepActivities, type StepDeps } from '../process/step.ts';
import { checkTaxNumberLeg } from './check-tax-number.ts';
import { inviteUsersLeg } from './invite-users.ts';
import { legSteps } from './leg-steps.ts';
import { openCreditAccountLeg } from './open-credit-account.ts';
import { planOnboardingLeg } from './plan-onboarding.ts';
import { sendWelcomeLeg, type WelcomeDeps } from './send-welcome.ts';

/** What the activities of the product need. */
export type SlipDeps = StepDeps & WelcomeDeps & RegistrationRules;

/** The steps of routing slips, by what the activities of the product do. */
export function createSlipActivities(deps: SlipDeps) {
  return stepActivities(
    deps,
    legSteps({
      plan_onboarding: planOnboardingLeg,
      check_tax_number: checkTaxNumberLeg,
      open_credit_account: openCreditAccountLeg,
      invite_users: inviteUsersLeg(deps),
      send_welcome: sendWelcomeLeg(deps),
    }),
  );
}
