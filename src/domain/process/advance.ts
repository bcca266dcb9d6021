import { isWaiting, stepAfter, stepOf, type ProcessData, type ProcessDefinition } from './definition.ts';
import type { ProcessEventBody } from './events.ts';
import { executionOf, type Cause, type OperatorDecision, type ProcessState, type StepExecution } from './state.ts';
import { isClosed } from './statuses.ts';
import type { ProcessCause } from './codes.ts';

/** Time between two reminders to operators of a process that waits for them: a day, in milliseconds. */
export const PARKED_REMINDER_MS = 24 * 60 * 60_000;

/**
 * The next event that follows from the state alone; null: a step, an event from outside or a decision is needed first.
 * Applied until it answers null, it brings a process to the next such point.
 */
export function nextEvent(definition: ProcessDefinition, state: ProcessState, now: number): ProcessEventBody | null {
  if (isClosed(state.status)) return null;
  return state.cause === null ? goForward(definition, state, now) : goBack(definition, state, now);
}

function goForward(definition: ProcessDefinition, state: ProcessState, now: number): ProcessEventBody | null {
  const current = state.currentStep === null ? undefined : executionOf(state, state.currentStep);
  if (state.cancelled !== null && canTurnBack(definition, state))
    return turnBack(definition, current, state, state.cancelled);
  switch (current?.status) {
    case 'pending':
      return startWait(definition, current, state, now);
    case 'running':
      return null;
    case 'failed':
      return onFailure(definition, current, state, now);
    case 'completed':
    case 'skipped':
    case undefined: {
      const step = stepAfter(definition, current?.step ?? null, state.data);
      return step === null ? { type: 'ProcessCompleted' } : { type: 'StepRegistered', step };
    }
    default:
      throw new Error(`step ${current?.step} is ${current?.status} in a process that goes forward`);
  }
}

/** Starts the wait of a waiting step; ends it at once when its event came before (`early`). */
function startWait(
  definition: ProcessDefinition,
  { step }: StepExecution,
  { data, early }: ProcessState,
  now: number,
): ProcessEventBody | null {
  const declared = stepOf(definition, step, data);
  if (!isWaiting(declared)) return null;
  const payload = early[declared.awaits];
  return payload === undefined
    ? { type: 'WaitStarted', step, event: declared.awaits, dueAt: now + declared.limitMs(data) }
    : { type: 'StepCompleted', step, attempts: 1, result: { [declared.awaits]: payload } };
}

/**
 * Before the pivot a failed step starts the compensation. Behind it, or when the pivot's outcome is unknown, or where
 * the step says so of the failure, the process parks for an operator.
 */
function onFailure(
  definition: ProcessDefinition,
  { step, error }: StepExecution,
  state: ProcessState,
  now: number,
): ProcessEventBody | null {
  const declared = stepOf(definition, step, state.data);
  const isAsked = !isWaiting(declared) && declared.parksOn?.includes(error?.code ?? '') === true;
  if (!isAsked && canTurnBack(definition, state)) return { type: 'CompensationStarted', cause: error ?? UNEXPLAINED };
  return state.status === 'step_failed' ? null : { type: 'StepParked', step, dueAt: now + PARKED_REMINDER_MS };
}

/**
 * What a cancellation leads to: a step that has not started is skipped, one under way is awaited, then everything is
 * undone.
 */
function turnBack(
  definition: ProcessDefinition,
  current: StepExecution | undefined,
  { data }: Pick<ProcessState, 'data'>,
  cancelled: OperatorDecision,
): ProcessEventBody | null {
  const isUnderWay = current?.status === 'running';
  if (isUnderWay && !isWaiting(stepOf(definition, current.step, data))) return null;
  if (isUnderWay || current?.status === 'pending')
    return { type: 'StepSkipped', step: current.step, decided: cancelled };
  const cause: Cause<ProcessCause> = {
    code: 'cancelled',
    message: cancelled.reason ?? 'It was cancelled.',
    class: 'refused',
  };
  return { type: 'CompensationStarted', cause };
}

/** The next undos, each step's once; then the closing event. */
function goBack(definition: ProcessDefinition, state: ProcessState, now: number): ProcessEventBody | null {
  const isParallel = definition.compensation === 'parallel';
  if (!isParallel && state.history.some(({ status }) => status === 'compensating')) return null;
  const left = state.history.findLast((execution) => isToUndo(definition, state, execution));
  if (left !== undefined) return { type: 'StepCompensating', step: left.step };
  if (state.history.some(({ status }) => status === 'compensating')) return null;
  if (state.history.some(({ status }) => status === 'compensation_failed')) {
    return state.status === 'compensation_failed'
      ? null
      : { type: 'CompensationParked', dueAt: now + PARKED_REMINDER_MS };
  }
  // With an undo skipped by an operator not everything is undone, so the process ends `abandoned`.
  if (state.history.some(({ status, compensation }) => status === 'skipped' && compensation !== null))
    return { type: 'ProcessAbandoned', decided: null };
  return state.cancelled === null ? { type: 'ProcessCompensated' } : { type: 'ProcessCancelled' };
}

/**
 * Whether a step has an undo and took effect, or may have. After a refusal nothing took effect, unless there were
 * earlier attempts: one whose answer got lost may still arrive, and the undo leaves a tombstone that refuses it.
 */
function isToUndo(
  definition: ProcessDefinition,
  { data }: Pick<ProcessState, 'data'>,
  { step, status, error, attempts, decided }: StepExecution,
): boolean {
  const declared = stepOf(definition, step, data);
  if (isWaiting(declared) || declared.compensate === undefined) return false;
  const isFirstAttempt = attempts <= 1 && decided?.command !== 'retryStep' && decided?.command !== 'skipStep';
  return status === 'completed' || (status === 'failed' && !(error?.class === 'refused' && isFirstAttempt));
}

/** Whether the pivot is completed, or an operator says that it is. */
export function isPastPivot(
  definition: ProcessDefinition,
  { history, data }: Pick<ProcessState, 'history' | 'data'>,
): boolean {
  return history.some(
    (execution) =>
      isPivot(definition, data, execution) &&
      (execution.status === 'completed' || execution.decided?.command === 'skipStep'),
  );
}

/**
 * Whether the pivot may be completed without anybody knowing: it is under way, or its outcome is `unknown`, also while
 * it is retried.
 */
export function isPivotUncertain(
  definition: ProcessDefinition,
  { history, data }: Pick<ProcessState, 'history' | 'data'>,
): boolean {
  return history.some((execution) => {
    if (!isPivot(definition, data, execution)) return false;
    const { status, error } = execution;
    const isOpen = status === 'pending' || status === 'running' || status === 'failed';
    return status === 'running' || (isOpen && error !== null && error.class !== 'refused');
  });
}

/** Whether everything can still be undone: the pivot is neither completed nor possibly completed. */
function canTurnBack(definition: ProcessDefinition, state: ProcessState): boolean {
  return !isPivotUncertain(definition, state) && !isPastPivot(definition, state);
}

function isPivot(definition: ProcessDefinition, data: ProcessData, { step }: StepExecution): boolean {
  const declared = stepOf(definition, step, data);
  return !isWaiting(declared) && declared.isPivot === true;
}

const UNEXPLAINED: Cause<ProcessCause> = {
  code: 'unexplained',
  message: 'The step failed without a cause.',
  class: 'unknown',
};
