import { z } from 'zod';
import { ONBOARDING_ACTIVITIES } from '../../db/routing-slips/onboarding-activities.ts';
import { ACTIVITY_CAUSES, type ActivityCause } from '../../domain/routing-slips/codes.ts';
import { raiseLimit, restoreLimit } from '../../gateways/payment/ledger/credit-limits.ts';
import { localActivity } from './leg-functions.ts';

const keptLimit = z.object({ beforeMinor: z.number().nullable(), limitMinor: z.number() });

/** Opens a credit account or raises its limit, and keeps what was before. */
export const openCreditAccountLeg = localActivity(ONBOARDING_ACTIVITIES.open_credit_account, {
  take: async (books, { tenantId, arguments: { limitMinor, ...account } }) => {
    const raised = await raiseLimit({ books, tenantId, account, limitMinor });
    return { isDone: true, result: { creditLimitMinor: raised.limitMinor }, kept: raised };
  },
  undo: async (books, { tenantId, arguments: { customerId, currency }, kept }) => {
    const account = { customerId, currency };
    if (await restoreLimit({ books, tenantId, account, raised: keptLimit.parse(kept) })) return { isDone: true };
    const code: ActivityCause = 'credit_account_in_use';
    return { isDone: false, code, message: ACTIVITY_CAUSES[code].detail };
  },
});
