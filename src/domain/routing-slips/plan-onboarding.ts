/** What a company may subscribe to. */
export const PLANS = ['starter', 'business', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];

/** Countries whose tax numbers can be checked, ISO 3166-1 alpha-2: those of the European Union. */
export const CHECKED_COUNTRIES: readonly string[] =
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');

/** A company that is taken on. */
export interface Company {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly plan: Plan;
  readonly taxNumber?: string | undefined;
}

/** What its onboarding needs besides what it was sent with. */
export type OnboardingPlan =
  | { readonly isPlanned: true; readonly needsTaxCheck: boolean; readonly creditLimitMinor: number }
  | { readonly isPlanned: false; readonly code: 'tax_number_missing' };

/** Credit by plan, in minor units of whatever currency; 0: none is opened. */
const CREDIT_LIMITS_MINOR: Readonly<Record<Plan, number>> = {
  starter: 0,
  business: 2_500_000,
  enterprise: 10_000_000,
};

/**
 * Plans the onboarding of a company: a number that can be checked is, and whoever gets credit has to give one, where
 * the country's can be checked.
 */
export function planOnboarding({ country, plan, taxNumber }: Company): OnboardingPlan {
  const creditLimitMinor = CREDIT_LIMITS_MINOR[plan];
  const isCheckable = CHECKED_COUNTRIES.includes(country);
  if (isCheckable && taxNumber === undefined && creditLimitMinor > 0)
    return { isPlanned: false, code: 'tax_number_missing' };
  return { isPlanned: true, needsTaxCheck: isCheckable && taxNumber !== undefined, creditLimitMinor };
}
