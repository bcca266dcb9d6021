import { ONBOARDING_ACTIVITIES } from './onboarding-activities.ts';
import type { SlipActivities } from './slip-activity.ts';

/** Every activity that may stand on a routing slip, by its name. */
export const SLIP_ACTIVITIES = { ...ONBOARDING_ACTIVITIES } as const satisfies SlipActivities;
