import { SLIP_ACTIVITIES } from '../../db/routing-slips/slip-activities.ts';
import { stepActivities, type StepDeps } from '../process/step.ts';
import { localActivity } from './leg-functions.ts';
import { legSteps } from './leg-steps.ts';

/** The steps of routing slips, by what the activities of the product do. */
export function createSlipActivities(deps: StepDeps) {
  return stepActivities(
    deps,
    legSteps({
      plan_onboarding: localActivity(SLIP_ACTIVITIES.plan_onboarding, {
        take: async () => ({ isDone: true, result: {} }),
      }),
    }),
  );
}
