import { z } from 'zod';
import type { SlipActivities, SlipActivity } from './slip-activity.ts';

const planOnboarding = {
  summary: 'Plans the onboarding of a company by its country and plan, and puts the legs for it on the slip',
  arguments: z.strictObject({}),
  result: z.strictObject({}),
  roles: ['service', 'operator', 'admin'],
  revises: true,
} as const satisfies SlipActivity;

/** Every activity that may stand on a routing slip, by its name. */
export const SLIP_ACTIVITIES = {
  plan_onboarding: planOnboarding,
} as const satisfies SlipActivities;
