import type { StepOutcome } from '../../domain/process/decide.ts';
import type { ActingStep } from '../../domain/process/definition.ts';
import type { Cause } from '../../domain/process/state.ts';
import { StepFailure, type StepResult } from '../../domain/process/step-work.ts';
import { toStorableText } from '../../domain/shared/text.ts';
import type { ProcessCause } from '../../domain/process/codes.ts';

/** Cause code of a call without an answer within its time limit. */
export const TIMED_OUT = 'timed_out' satisfies ProcessCause;
const LONGEST_MESSAGE = 300;

/** The outcome of a step or an undo, from what its function answered. */
export function outcomeOf(
  step: string,
  result: StepResult,
  { attempts, isUndo }: { attempts: number; isUndo: boolean },
): StepOutcome {
  if (result.isDone)
    return isUndo
      ? { type: 'compensated', step, attempts }
      : { type: 'completed', step, attempts, result: result.result ?? {} };
  const cause: Cause = { code: result.code, message: result.message, class: 'refused' };
  return { type: isUndo ? 'compensationFailed' : 'failed', step, attempts, cause };
}

/** Why an attempt failed, classed as its step declares. */
export function causeOf(error: unknown, { failures = {} }: ActingStep): Cause {
  const code = error instanceof StepFailure ? error.code : ('step_error' satisfies ProcessCause);
  const message = error instanceof Error ? toStorableText(error.message, LONGEST_MESSAGE) : 'unknown';
  return { code, message, class: failures[code] ?? (code === TIMED_OUT ? 'unknown' : 'transient') };
}
