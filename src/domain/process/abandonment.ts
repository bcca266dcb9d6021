import type { Cause, OperatorDecision, ProcessState, StepExecution } from './state.ts';
import type { ProcessStatus } from './statuses.ts';

/** Where an abandoned process stood, and is parked again when it is reopened. */
export interface Abandonment {
  readonly status: Extract<ProcessStatus, 'step_failed' | 'compensation_failed'>;
  /** The step that failed, or the last one whose undo did. */
  readonly step: string;
  /** Why it, or its undo, failed. */
  readonly cause: Cause | null;
  /** Steps whose undo has failed and is decided on again. */
  readonly undos: readonly string[];
  /** The latest decision to leave one of those undone; null: there is none. */
  readonly skipped: OperatorDecision | null;
}

/**
 * Where the process was abandoned, as its history has it: at a step that failed, at undos that failed, or, where the
 * last of these was skipped, at everything that was left undone.
 */
export function abandonmentOf({ history, cause }: Pick<ProcessState, 'history' | 'cause'>): Abandonment {
  const failed = history.filter(({ status }) => status === 'compensation_failed');
  const undos = failed.length > 0 ? failed : history.filter(isLeftUndone);
  const at = cause === null ? history.at(-1) : (undos.at(-1) ?? history.at(-1));
  if (at === undefined) throw new Error('nothing of the process was left to be decided');
  if (cause === null) return { status: 'step_failed', step: at.step, cause: at.error, undos: [], skipped: null };
  return {
    status: 'compensation_failed',
    step: at.step,
    cause: at.compensation?.error ?? null,
    undos: undos.map(({ step }) => step),
    skipped: latest(undos.filter(isLeftUndone).flatMap(({ decided }) => decided ?? [])),
  };
}

/** Whether an operator has decided to leave the step as it is. */
function isLeftUndone({ status, compensation }: StepExecution): boolean {
  return status === 'skipped' && compensation !== null;
}

function latest(decisions: readonly OperatorDecision[]): OperatorDecision | null {
  return decisions.toSorted((one, other) => one.at - other.at).at(-1) ?? null;
}
