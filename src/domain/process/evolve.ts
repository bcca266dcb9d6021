import { assertNever } from '../shared/assert-never.ts';
import { abandonmentOf } from './abandonment.ts';
import type { ProcessData } from './definition.ts';
import type { ProcessEvent } from './events.ts';
import { executionOf, type ProcessState, type StepExecution } from './state.ts';

/** The state after `event`; throws on an event that can't follow, which is a bug or a state of another definition. */
export function evolveProcess(state: ProcessState, event: ProcessEvent): ProcessState {
  if (event.sequence !== state.sequence + 1) throw new Error(`event ${event.sequence} can't follow ${state.sequence}`);
  return { ...change(state, event), sequence: event.sequence, updatedAt: event.at };
}

function change(state: ProcessState, event: ProcessEvent): ProcessState {
  switch (event.type) {
    case 'ProcessStarted':
      return { ...state, startedAt: event.at };
    case 'StepRegistered':
      return register(state, event);
    case 'StepStarted':
      return onStep(state, event.step, { status: 'running', startedAt: event.at });
    case 'WaitStarted':
      return {
        ...onStep(state, event.step, { status: 'running', startedAt: event.at, attempts: 0 }),
        status: 'waiting',
        dueAt: event.dueAt,
      };
    case 'WaitOverdue':
      return { ...onStep(state, event.step, { attempts: event.reminders }), dueAt: event.dueAt };
    case 'ParkingOverdue':
      return { ...state, dueAt: event.dueAt };
    case 'EventReceivedEarly':
      return { ...state, early: { ...state.early, [event.event]: event.payload } };
    case 'StepCompleted':
      return complete(state, event);
    case 'StepFailed':
      return {
        ...onStep(state, event.step, {
          status: 'failed',
          attempts: event.attempts,
          error: event.cause,
          completedAt: event.at,
        }),
        status: 'running',
        dueAt: null,
      };
    case 'StepParked':
      return { ...state, status: 'step_failed', dueAt: event.dueAt };
    case 'StepRetried':
    case 'SkipStarted':
      return {
        ...onStep(state, event.step, {
          status: 'pending',
          startedAt: event.at,
          completedAt: null,
          decided: event.decided,
        }),
        status: 'running',
        dueAt: null,
      };
    case 'StepSkipped':
      return {
        ...onStep(state, event.step, { status: 'skipped', completedAt: event.at, decided: event.decided }),
        status: 'running',
        dueAt: null,
      };
    case 'CancellationRequested':
      return { ...state, cancelled: event.decided };
    case 'CompensationStarted':
      return { ...state, status: 'compensating', cause: event.cause, dueAt: null };
    case 'StepCompensating':
      return undoing({
        ...onStep(state, event.step, {
          status: 'compensating',
          compensation: { attempts: 0, startedAt: event.at, completedAt: null, error: null },
        }),
        status: 'compensating',
        dueAt: null,
      });
    case 'StepCompensated':
    case 'StepCompensationFailed':
      return undoing(onStep(state, event.step, undone(state, event)));
    case 'CompensationParked':
      return undoing({ ...state, status: 'compensation_failed', dueAt: event.dueAt });
    case 'CompensationRetried':
      return state;
    case 'CompensationSkipped':
      return undoing(onStep(state, event.step, { status: 'skipped', decided: event.decided }));
    case 'ProcessCompleted':
      return close(state, 'completed');
    case 'ProcessCompensated':
      return close(state, 'compensated');
    case 'ProcessCancelled':
      return close(state, 'cancelled');
    case 'ProcessAbandoned':
      return close(state, 'abandoned');
    case 'ProcessReopened':
      return reopen(state, event);
    default:
      return assertNever(event);
  }
}

function register(state: ProcessState, { step, at }: ProcessEvent & { step: string }): ProcessState {
  if (executionOf(state, step) !== undefined) throw new Error(`step ${step} is taken twice`);
  const registered: StepExecution = {
    step,
    status: 'pending',
    attempts: 0,
    startedAt: at,
    completedAt: null,
    result: null,
    error: null,
    compensation: null,
    decided: null,
  };
  return { ...state, status: 'running', currentStep: step, history: [...state.history, registered] };
}

function complete(
  state: ProcessState,
  { step, result, attempts, at }: ProcessEvent & { step: string; result: ProcessData; attempts: number },
): ProcessState {
  const done = onStep(state, step, { status: 'completed', attempts, result, error: null, completedAt: at });
  return { ...done, status: 'running', dueAt: null, data: { ...state.data, ...result } };
}

function undone(
  state: ProcessState,
  event: Extract<ProcessEvent, { type: 'StepCompensated' | 'StepCompensationFailed' }>,
): Partial<StepExecution> {
  const startedAt = executionOf(state, event.step)?.compensation?.startedAt ?? event.at;
  const isUndone = event.type === 'StepCompensated';
  return {
    status: isUndone ? 'compensated' : 'compensation_failed',
    compensation: { attempts: event.attempts, startedAt, completedAt: event.at, error: isUndone ? null : event.cause },
  };
}

/**
 * The current step of a process that is being undone: the last one whose undo is under way, else the last one whose
 * undo failed.
 */
function undoing(state: ProcessState): ProcessState {
  const shown =
    state.history.findLast(({ status }) => status === 'compensating') ??
    state.history.findLast(({ status }) => status === 'compensation_failed');
  return shown === undefined ? state : { ...state, currentStep: shown.step };
}

function close(state: ProcessState, status: ProcessState['status']): ProcessState {
  return { ...state, status, currentStep: null, dueAt: null };
}

/** As it was when it was abandoned; a skip that left nothing else to decide is taken back. */
function reopen(state: ProcessState, { step, dueAt }: ProcessEvent & { step: string; dueAt: number }): ProcessState {
  const { status, undos } = abandonmentOf(state);
  const history = state.history.map((execution) =>
    execution.status === 'skipped' && undos.includes(execution.step)
      ? { ...execution, status: 'compensation_failed' as const, decided: null }
      : execution,
  );
  return { ...state, status, currentStep: step, history, dueAt };
}

function onStep(state: ProcessState, step: string, changes: Partial<StepExecution>): ProcessState {
  if (executionOf(state, step) === undefined) throw new Error(`step ${step} was never registered`);
  return {
    ...state,
    history: state.history.map((execution) => (execution.step === step ? { ...execution, ...changes } : execution)),
  };
}
