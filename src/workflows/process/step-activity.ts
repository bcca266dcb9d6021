import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ProcessActivities, StepActivity } from './process.activities.ts';
import { DEFAULT_TIME_LIMIT_MS, type ActingStep } from '../../domain/process/definition.ts';
import { HEARTBEAT_TIMEOUT_MS } from '../../domain/shared/heartbeat.ts';
import { DATABASE_WRITE } from '../runtime/activity-options.ts';

/** The activities of every process besides its steps. */
export const processRows = proxyLocalActivities<ProcessActivities>(DATABASE_WRITE);

/** Time that an attempt may take beyond the step's own limit, in milliseconds: its transactions may wait for locks. */
const MARGIN_MS = 20_000;

/**
 * The activity that does or undoes a step. It counts a step's attempts itself and answers when they are used up, so
 * what it throws is either such an attempt, with the pause to the next, or trouble of ours, such as PostgreSQL being
 * away: tried for ever.
 */
export function stepActivity(
  { isRemote, timeLimitMs = DEFAULT_TIME_LIMIT_MS }: ActingStep,
  name: string,
): StepActivity {
  const options = { ...DATABASE_WRITE, startToCloseTimeout: timeLimitMs + MARGIN_MS };
  const { localRetryThreshold: _, ...regular } = options;
  const proxy =
    isRemote === true
      ? proxyActivities<Record<string, StepActivity>>({ ...regular, heartbeatTimeout: HEARTBEAT_TIMEOUT_MS })
      : proxyLocalActivities<Record<string, StepActivity>>(options);
  const activity = proxy[name];
  if (activity === undefined) throw new Error(`no activity ${name}`);
  return activity;
}
