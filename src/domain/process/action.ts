import { isWaiting, stepOf, type ProcessDefinition } from './definition.ts';
import type { ProcessState } from './state.ts';
import { isClosed, isParked } from './statuses.ts';

/** What a process needs to have done now. */
export type ProcessAction =
  | { readonly type: 'execute'; readonly step: string }
  /** Undos to run; more than one, at the same time, only for a type with `compensation: 'parallel'`. */
  | { readonly type: 'compensate'; readonly steps: readonly string[] }
  /**
   * Nothing, until a command or event comes or `until` (milliseconds since the epoch; null: no time limit) is reached.
   */
  | { readonly type: 'rest'; readonly until: number | null }
  | { readonly type: 'end' };

/** What is to be done for a process in this state. */
export function actionOf(definition: ProcessDefinition, state: ProcessState): ProcessAction {
  if (isClosed(state.status)) return { type: 'end' };
  const toUndo = state.history
    .filter(({ status }) => status === 'compensating')
    .map(({ step }) => step)
    .toReversed();
  if (toUndo.length > 0)
    return { type: 'compensate', steps: definition.compensation === 'parallel' ? toUndo : toUndo.slice(0, 1) };
  const current = state.history.find(({ step }) => step === state.currentStep);
  const isUnderWay = current?.status === 'pending' || current?.status === 'running';
  if (state.status === 'running' && isUnderWay && !isWaiting(stepOf(definition, current.step, state.data)))
    return { type: 'execute', step: current.step };
  return { type: 'rest', until: state.dueAt };
}

/**
 * The alert that the state calls for: a parked process, or one that waits longer than it should; null: none.
 */
export function alertKindOf(state: ProcessState): 'process_parked' | 'process_overdue' | null {
  if (isParked(state.status)) return 'process_parked';
  const reminders = state.history.find(({ step }) => step === state.currentStep)?.attempts ?? 0;
  return state.status === 'waiting' && reminders > 0 ? 'process_overdue' : null;
}
