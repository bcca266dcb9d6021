import type { SaveResult } from '../profile/profile.activities.ts';
import type { SaveAnswer } from '../runtime/decider.ts';

/** The write of a step, as the loop of workflows reads it. */
export function answerOf({ isSuperseded, isUnstorable }: SaveResult<unknown>): SaveAnswer {
  if (isUnstorable === true) return 'unstorable';
  return isSuperseded ? 'superseded' : 'written';
}
