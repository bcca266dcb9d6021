import { euVat } from 'stdnum';
import { ONBOARDING_ACTIVITIES } from '../../db/routing-slips/onboarding-activities.ts';
import { ACTIVITY_CAUSES, type ActivityCause } from '../../domain/routing-slips/codes.ts';
import { CHECKED_COUNTRIES } from '../../domain/routing-slips/plan-onboarding.ts';
import { localActivity } from './leg-functions.ts';

/** Checks a tax number by its form and check digits; whether it was ever given to anybody is not asked. */
export const checkTaxNumberLeg = localActivity(ONBOARDING_ACTIVITIES.check_tax_number, {
  take: async (_, { arguments: { country, taxNumber } }) => {
    const normalised = normalisedTaxNumber(country, taxNumber);
    if (normalised !== null) return { isDone: true, result: { taxNumber: normalised } };
    const code: ActivityCause = 'tax_number_invalid';
    return { isDone: false, code, message: ACTIVITY_CAUSES[code].detail };
  },
  skip: () => ({}),
});

/** The number without blanks and prefix; null: it is none of the country's. */
function normalisedTaxNumber(country: string, taxNumber: string): string | null {
  if (!CHECKED_COUNTRIES.includes(country)) return null;
  for (const validator of euVat[country] ?? []) {
    const checked = validator.validate(taxNumber);
    if (checked.isValid) return checked.compact;
  }
  return null;
}
