import { stepAfter, type ProcessDefinition } from './definition.ts';
import type { ProcessState } from './state.ts';
import { isClosed } from './statuses.ts';

/**
 * The steps still to come, in their order, as far as what is known now tells; none for a process that is over or has
 * turned back.
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
