import { ONBOARDING_ACTIVITIES } from '../../db/routing-slips/onboarding-activities.ts';
import type { NewLeg } from '../../db/routing-slips/check-itinerary.ts';
import { ACTIVITY_CAUSES } from '../../domain/routing-slips/codes.ts';
import { planOnboarding } from '../../domain/routing-slips/plan-onboarding.ts';
import { localActivity } from './leg-functions.ts';

/** Puts the legs that a company needs, by its country and plan, before those that follow. */
export const planOnboardingLeg = localActivity(ONBOARDING_ACTIVITIES.plan_onboarding, {
  take: async (_, { arguments: company, ahead }) => {
    const plan = planOnboarding(company);
    if (!plan.isPlanned) return { isDone: false, code: plan.code, message: ACTIVITY_CAUSES[plan.code].detail };
    const { needsTaxCheck, creditLimitMinor } = plan;
    const { companyId: customerId, country, taxNumber, currency } = company;
    const added: readonly NewLeg[] = [
      ...(needsTaxCheck ? [{ activity: 'check_tax_number', arguments: { country, taxNumber } }] : []),
      ...(creditLimitMinor > 0
        ? [{ activity: 'open_credit_account', arguments: { customerId, currency, limitMinor: creditLimitMinor } }]
        : []),
    ];
    return { isDone: true, result: { needsTaxCheck, creditLimitMinor }, ahead: [...added, ...ahead] };
  },
});
