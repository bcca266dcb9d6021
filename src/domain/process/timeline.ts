import { stepAfter, type ProcessDefinition } from './definition.ts';
import type { ProcessState } from './state.ts';
import { isClosed } from './statuses.ts';

/**
 * The steps still to come, in their order, by the data known now; none for a process that is closed or being undone.
 */
export function stepsAhead(
  definition: ProcessDefinition,
  { status, cause, currentStep, data }: Pick<ProcessState, 'status' | 'cause' | 'currentStep' | 'data'>,
): readonly string[] {
  if (isClosed(status) || cause !== null) return [];
  const ahead: string[] = [];
  for (
    let step = stepAfter(definition, currentStep, data);
    step !== null && !ahead.includes(step);
    step = stepAfter(definition, step, data)
  ) {
    ahead.push(step);
  }
  return ahead;
}
