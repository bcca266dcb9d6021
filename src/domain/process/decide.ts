import { assertNever } from '../shared/assert-never.ts';
import { accept, refuse, type Decision } from '../shared/decision.ts';
import { abandonmentOf } from './abandonment.ts';
import { isPastPivot, isPivotUncertain, nextEvent, PARKED_REMINDER_MS } from './advance.ts';
import type { ProcessRefusal } from './codes.ts';
import { isWaiting, overdueCode, stepOf, type ProcessData, type ProcessDefinition } from './definition.ts';
import type { ProcessEvent, ProcessEventBody } from './events.ts';
import { evolveProcess } from './evolve.ts';
import { executionOf, type Cause, type OperatorDecision, type ProcessState } from './state.ts';
import { isClosed } from './statuses.ts';

/** Who gives a command, and why. */
interface Actor {
  readonly by: string;
  readonly reason: string | null;
}

/** Commands of operators and customers, and events from outside. */
export type ProcessCommand =
  | { readonly type: 'receive'; readonly event: string; readonly payload: ProcessData }
  | ({ readonly type: 'cancel' } & Actor)
  | ({ readonly type: 'retryCompensation' } & Actor)
  | ({ readonly type: 'skipCompensation'; readonly step: string } & Actor)
  | ({ readonly type: 'retryStep' } & Actor)
  /** `isBare`: as it was decided before skips did anything, for executions that took it so. */
  | ({ readonly type: 'skipStep'; readonly isBare?: true } & Actor)
  | ({ readonly type: 'abandon' } & Actor)
  /** Of a process that is over, hence decided on its row; no workflow takes it. */
  | ({ readonly type: 'reopen' } & Actor);

/** The outcome of a step or of its undo. */
export type StepOutcome =
  | { readonly type: 'completed'; readonly step: string; readonly attempts: number; readonly result: ProcessData }
  | { readonly type: 'failed'; readonly step: string; readonly attempts: number; readonly cause: Cause }
  | { readonly type: 'compensated'; readonly step: string; readonly attempts: number }
  | { readonly type: 'compensationFailed'; readonly step: string; readonly attempts: number; readonly cause: Cause };

/**
 * A process that begins now, in milliseconds since the epoch, with its first step registered, and the events that say
 * so.
 */
export function beginProcess(
  definition: ProcessDefinition,
  { data, now }: { data: ProcessData; now: number },
): { readonly state: ProcessState; readonly events: readonly ProcessEvent[] } {
  const blank: ProcessState = {
    status: 'running',
    currentStep: null,
    data,
    history: [],
    cause: null,
    cancelled: null,
    early: {},
    dueAt: null,
    sequence: 0,
    startedAt: now,
    updatedAt: now,
  };
  const events = eventsOf(definition, blank, [{ type: 'ProcessStarted' }], now);
  return { state: applyAll(blank, events), events };
}

/**
 * Decides a command, or the passing of time: the events, or a refusal. Times are milliseconds since the epoch.
 */
export function decideProcess(
  definition: ProcessDefinition,
  state: ProcessState,
  command: ProcessCommand | { readonly type: 'passTime' },
  now: number,
): Decision<ProcessEvent, ProcessRefusal> {
  if (command.type === 'reopen') return reopen(definition, state, command, now);
  if (isClosed(state.status))
    return command.type === 'passTime' ? accept() : refuse('process_closed', `The process is ${state.status}.`);
  const first = firstOf(definition, state, command, now);
  return first.accepted ? accept(...eventsOf(definition, state, first.events, now)) : first;
}

/** Only an abandoned process is left with something to decide; every other one has come to its end. */
function reopen(
  definition: ProcessDefinition,
  state: ProcessState,
  command: Extract<ProcessCommand, { type: 'reopen' }>,
  now: number,
): Decision<ProcessEvent, ProcessRefusal> {
  if (state.status !== 'abandoned') return refuse('process_not_abandoned', `The process is ${state.status}.`);
  const { step } = abandonmentOf(state);
  const decided = decidedBy(command, now);
  const reopened: ProcessEventBody = { type: 'ProcessReopened', step, decided, dueAt: now + PARKED_REMINDER_MS };
  return accept(...eventsOf(definition, state, [reopened], now));
}

/** The events that follow from the outcome of a step that was under way in this state. */
export function applyOutcome(
  definition: ProcessDefinition,
  state: ProcessState,
  outcome: StepOutcome,
  now: number,
): readonly ProcessEvent[] {
  return eventsOf(definition, state, [eventBodyOf(outcome)], now);
}

/** The event that a step is under way, at whoever takes it. */
export function startStep(state: ProcessState, step: string, now: number): ProcessEvent {
  return { type: 'StepStarted', step, sequence: state.sequence + 1, at: now };
}

/** The state after the events. */
export function applyAll(state: ProcessState, events: readonly ProcessEvent[]): ProcessState {
  return events.reduce(evolveProcess, state);
}

function firstOf(
  definition: ProcessDefinition,
  state: ProcessState,
  command: Exclude<ProcessCommand, { type: 'reopen' }> | { readonly type: 'passTime' },
  now: number,
): Decision<ProcessEventBody, ProcessRefusal> {
  switch (command.type) {
    case 'passTime':
      return accept(...whatIsDue(definition, state, now));
    case 'receive':
      return receive(definition, state, command);
    case 'cancel':
      return cancel(definition, state, decidedBy(command, now));
    case 'retryCompensation':
    case 'skipCompensation':
      return decideOnUndo(state, command, now);
    case 'retryStep':
    case 'skipStep':
      return decideOnStep(definition, state, command, now);
    case 'abandon':
      return state.status === 'compensation_failed' || state.status === 'step_failed'
        ? accept({ type: 'ProcessAbandoned', decided: decidedBy(command, now) })
        : refuse(
            'process_not_parked',
            'Only a process that waits for an operator can be abandoned; cancel it instead.',
          );
    default:
      return assertNever(command);
  }
}

function whatIsDue(definition: ProcessDefinition, state: ProcessState, now: number): readonly ProcessEventBody[] {
  const { status, currentStep, dueAt } = state;
  if (dueAt === null || now < dueAt) return [];
  if (status !== 'waiting' || currentStep === null)
    return [{ type: 'ParkingOverdue', dueAt: now + PARKED_REMINDER_MS }];
  const declared = stepOf(definition, currentStep, state.data);
  if (!isWaiting(declared) || declared.late === 'remind') {
    const reminders = (executionOf(state, currentStep)?.attempts ?? 0) + 1;
    return [{ type: 'WaitOverdue', step: currentStep, reminders, dueAt: now + PARKED_REMINDER_MS }];
  }
  const cause: Cause = {
    code: overdueCode(declared),
    message: `Nothing was heard of "${declared.awaits}" in time.`,
    class: 'refused',
  };
  return [{ type: 'StepFailed', step: currentStep, attempts: 1, cause }];
}

function receive(
  definition: ProcessDefinition,
  state: ProcessState,
  { event, payload }: { event: string; payload: ProcessData },
): Decision<ProcessEventBody, ProcessRefusal> {
  const waiting = Object.entries(definition.steps).find(([, step]) => isWaiting(step) && step.awaits === event);
  if (waiting === undefined) return refuse('unknown_event', `No step of this process waits for "${event}".`);
  const [step] = waiting;
  if (state.status === 'waiting' && state.currentStep === step)
    return accept({ type: 'StepCompleted', step, attempts: 1, result: { [event]: payload } });
  const isKnown = executionOf(state, step)?.status === 'completed' || event in state.early;
  if (isKnown) return accept(); // told twice
  return state.cause === null
    ? accept({ type: 'EventReceivedEarly', event, payload })
    : refuse('process_turned_back', 'The process is being undone and no longer waits for this.');
}

function cancel(
  definition: ProcessDefinition,
  state: ProcessState,
  decided: OperatorDecision,
): Decision<ProcessEventBody, ProcessRefusal> {
  if (isPastPivot(definition, state)) return refuse('past_point_of_no_return', 'What is done can no longer be undone.');
  if (state.cancelled !== null) return accept(); // asked twice
  if (state.cause !== null) return refuse('process_turned_back', 'The process is being undone already.');
  if (isPivotUncertain(definition, state) && definition.isByMessages !== true)
    return refuse('past_point_of_no_return', 'It may be done already; that has to be found out first.');
  return accept({ type: 'CancellationRequested', decided });
}

function decideOnUndo(
  state: ProcessState,
  command: Extract<ProcessCommand, { type: 'retryCompensation' | 'skipCompensation' }>,
  now: number,
): Decision<ProcessEventBody, ProcessRefusal> {
  if (state.status !== 'compensation_failed')
    return refuse('process_not_parked', 'No undo of this process has failed and waits.');
  const failed = state.history.filter(({ status }) => status === 'compensation_failed').map(({ step }) => step);
  const decided = decidedBy(command, now);
  if (command.type === 'retryCompensation') {
    return accept<ProcessEventBody>(
      { type: 'CompensationRetried', decided },
      ...failed.map((step) => ({ type: 'StepCompensating', step }) as const).toReversed(),
    );
  }
  return failed.includes(command.step)
    ? accept({ type: 'CompensationSkipped', step: command.step, decided })
    : refuse('unknown_step', `The undo of "${command.step}" has not failed; failed: ${failed.join(', ')}.`);
}

function decideOnStep(
  definition: ProcessDefinition,
  state: ProcessState,
  command: Extract<ProcessCommand, { type: 'retryStep' | 'skipStep' }>,
  now: number,
): Decision<ProcessEventBody, ProcessRefusal> {
  const { status, currentStep: step } = state;
  if (status !== 'step_failed' || step === null)
    return refuse('process_not_parked', 'No step of this process has failed and waits.');
  const decided = decidedBy(command, now);
  if (command.type === 'retryStep') return accept({ type: 'StepRetried', step, decided });
  const declared = stepOf(definition, step, state.data);
  // Who was to be told of an event by others may say so itself.
  if (isWaiting(declared) || command.isBare === true) return accept({ type: 'StepSkipped', step, decided });
  return declared.skip === undefined
    ? refuse(
        'step_not_skippable',
        `The step ${step} can't be skipped; the moves are retry-step and abandon, then settle what is left over.`,
      )
    : accept({ type: 'SkipStarted', step, decided });
}

function decidedBy({ type, by, reason }: { type: string } & Actor, now: number): OperatorDecision {
  return { command: type, by, reason, at: now };
}

function eventBodyOf(outcome: StepOutcome): ProcessEventBody {
  switch (outcome.type) {
    case 'completed':
      return { ...outcome, type: 'StepCompleted' };
    case 'failed':
      return { ...outcome, type: 'StepFailed' };
    case 'compensated':
      return { ...outcome, type: 'StepCompensated' };
    case 'compensationFailed':
      return { ...outcome, type: 'StepCompensationFailed' };
    default:
      return assertNever(outcome);
  }
}

/** Numbers the events and appends those that follow from them by themselves. */
function eventsOf(
  definition: ProcessDefinition,
  before: ProcessState,
  bodies: readonly ProcessEventBody[],
  now: number,
): readonly ProcessEvent[] {
  const events: ProcessEvent[] = [];
  let state = before;
  const add = (body: ProcessEventBody): void => {
    const event: ProcessEvent = { ...body, sequence: state.sequence + 1, at: now };
    state = evolveProcess(state, event);
    events.push(event);
  };
  if (bodies.length === 0) return [];
  bodies.forEach(add);
  for (let next = nextEvent(definition, state, now); next !== null; next = nextEvent(definition, state, now)) add(next);
  return events;
}
