import test from 'ava';
import { PLANS, planOnboarding, type Company, type OnboardingPlan } from './plan-onboarding.ts';

const planned = (needsTaxCheck: boolean, creditLimitMinor: number): OnboardingPlan => ({
  isPlanned: true,
  needsTaxCheck,
  creditLimitMinor,
});
const REFUSED: OnboardingPlan = { isPlanned: false, code: 'tax_number_missing' };

// What each plan needs, in the order of PLANS.
const TABLE: readonly (readonly [Omit<Company, 'plan'>, readonly OnboardingPlan[]])[] = [
  [{ country: 'FR', taxNumber: 'any' }, [planned(true, 0), planned(true, 2_500_000), planned(true, 10_000_000)]],
  [{ country: 'FR' }, [planned(false, 0), REFUSED, REFUSED]],
  [{ country: 'GR', taxNumber: 'any' }, [planned(true, 0), planned(true, 2_500_000), planned(true, 10_000_000)]],
  [{ country: 'US', taxNumber: 'any' }, [planned(false, 0), planned(false, 2_500_000), planned(false, 10_000_000)]],
  [{ country: 'US' }, [planned(false, 0), planned(false, 2_500_000), planned(false, 10_000_000)]],
];

for (const [company, expected] of TABLE)
  test(`what ${JSON.stringify(company)} needs, by plan`, (t) => {
    t.deepEqual(
      PLANS.map((plan) => planOnboarding({ ...company, plan })),
      expected,
    );
  });
