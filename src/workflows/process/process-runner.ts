import { defineSearchAttributeKey } from '@temporalio/common';
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProcessRef, SaveAnswer } from './process.activities.ts';
import { assertNever } from '../../domain/shared/assert-never.ts';
import { actionOf, alertKindOf } from '../../domain/process/action.ts';
import { applyAll, decideProcess, applyOutcome, type ProcessCommand } from '../../domain/process/decide.ts';
import { isWaiting, stepOf, type ActingStep, type ProcessDefinition } from '../../domain/process/definition.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import { executionOf, type ProcessState } from '../../domain/process/state.ts';
import type { CommandQueue, Outcome } from '../runtime/command-queue.ts';
import { processRows, stepActivity } from './step-activity.ts';
import type { ProcessInput } from './process.messages.ts';

export type ProcessQueue = CommandQueue<ProcessCommand, Outcome<ProcessState, ProcessEvent>>;

/** A process under way. */
export interface ProcessRun {
  readonly ref: ProcessRef;
  readonly definition: ProcessDefinition;
  readonly queue: ProcessQueue;
  state: ProcessState;
  /** Revision of the row that holds the state. */
  revision: number;
  /** The search attributes as set last. */
  shown?: string;
}

const processStatus = defineSearchAttributeKey('ProcessStatus', 'KEYWORD');
const processStep = defineSearchAttributeKey('ProcessStep', 'KEYWORD');

/**
 * Takes a process to its end: does what its state asks for, one thing after the other, and hears commands in between.
 */
export async function runProcess(life: ProcessRun): Promise<void> {
  for (;;) {
    await takeCommands(life);
    const action = actionOf(life.definition, life.state);
    switch (action.type) {
      case 'execute':
        await execute(life, action.step);
        break;
      case 'compensate':
        await (action.steps.length === 1 ? compensate(life, action.steps[0]!) : compensateAll(life, action.steps));
        break;
      case 'rest':
        await rest(life, action.until);
        break;
      case 'end':
        return end(life);
      default:
        assertNever(action);
    }
  }
}

/** Decides on what has come due and on every command received so far, and writes the outcome once; see `entity.ts`. */
async function takeCommands(life: ProcessRun): Promise<void> {
  const entries = life.queue.drain();
  for (;;) {
    const before = life.state;
    const events: ProcessEvent[] = [];
    const settlements: (() => void)[] = [];
    let state = before;
    const decide = (command: ProcessCommand | { readonly type: 'passTime' }) => {
      const decision = decideProcess(life.definition, state, command, Date.now());
      if (!decision.accepted) return decision.refusal;
      events.push(...decision.events);
      state = applyAll(state, decision.events);
      return null;
    };
    decide({ type: 'passTime' });
    for (const entry of entries) {
      const refusal = decide(entry.command);
      settlements.push(() =>
        refusal === null ? entry.reply?.resolve({ before, events }) : life.queue.refuse(entry, refusal),
      );
    }
    // What is superseded is decided on again, by the state of the row.
    if (events.length > 0 && (await save(life, state, events)) === 'superseded') continue;
    for (const settle of settlements) settle();
    return;
  }
}

async function execute(life: ProcessRun, step: string): Promise<void> {
  const { execute: activity, isRemote } = acting(life, step);
  const isBegun = executionOf(life.state, step)?.status === 'running';
  // What is done in the transaction of its outcome is never seen under way.
  const started: ProcessEvent = { type: 'StepStarted', step, sequence: life.state.sequence + 1, at: Date.now() };
  await perform(life, step, activity, isRemote === true && !isBegun ? [started] : []);
}

async function compensate(life: ProcessRun, step: string): Promise<void> {
  await perform(life, step, undoOf(life, step), []);
}

/**
 * Calls the activity of a step and takes over what became of it, and of those that it took after it: it has written
 * that already.
 */
async function perform(
  life: ProcessRun,
  step: string,
  activity: string,
  started: readonly ProcessEvent[],
): Promise<void> {
  const before = life.state;
  let state = applyAll(before, started);
  const revision = life.revision + 1;
  const answer = await stepActivity(
    acting(life, step),
    activity,
  )({ ...life.ref, step, state, revision, now: Date.now() });
  if (answer.isSuperseded) return takeOver(life);
  const events = answer.settled.flatMap(({ outcome, at }) => {
    const following = applyOutcome(life.definition, state, outcome, at);
    state = applyAll(state, following);
    return following;
  });
  life.state = state;
  life.revision = revision;
  await updateAlerts(life, before, events);
}

/** Undoes steps side by side. Each writes its own outcome into the row, in an order that only the row knows. */
async function compensateAll(life: ProcessRun, steps: readonly string[]): Promise<void> {
  const { ref, state, revision } = life;
  await Promise.all(
    steps.map((step) =>
      stepActivity(
        acting(life, step),
        undoOf(life, step),
      )({ ...ref, step, state, revision, now: Date.now(), isParallel: true }),
    ),
  );
  await takeOver(life);
}

/** Waits for a command, the next due time, or a moment to continue as new. */
async function rest(life: ProcessRun, until: number | null): Promise<void> {
  const { queue, state, ref, revision } = life;
  const mayContinueAsNew = (): boolean =>
    workflowInfo().continueAsNewSuggested && queue.isEmpty && allHandlersFinished();
  show(life);
  if (mayContinueAsNew()) {
    const input: ProcessInput = {
      tenantId: ref.tenantId,
      processId: ref.processId,
      carried: { state, revision, refused: queue.refused },
    };
    await continueAsNew<(next: ProcessInput) => Promise<unknown>>(input);
  }
  const isWoken = (): boolean => !queue.isEmpty || mayContinueAsNew();
  if (until === null) await condition(isWoken);
  else if (until > Date.now())
    await condition(isWoken, until - Date.now(), { summary: `${state.status} at ${state.currentStep}` });
}

async function end(life: ProcessRun): Promise<void> {
  show(life);
  const refusal = { code: 'process_closed', detail: `The process is ${life.state.status}.` } as const;
  for (const entry of life.queue.drain()) life.queue.refuse(entry, refusal);
  await condition(allHandlersFinished);
}

/** Writes the state that a decision led to; where the row is ahead, it is taken over. */
async function save(life: ProcessRun, state: ProcessState, events: readonly ProcessEvent[]): Promise<SaveAnswer> {
  const before = life.state;
  const revision = life.revision + 1;
  const answer = await processRows.saveProcess({ ...life.ref, state, revision, events });
  if (answer === 'written') {
    life.state = state;
    life.revision = revision;
    await updateAlerts(life, before, events);
  } else {
    await takeOver(life);
  }
  return answer;
}

/**
 * Goes on from the row, which knows of steps that this run does not: it was reset, or its worker died with them
 * unrecorded.
 */
async function takeOver(life: ProcessRun): Promise<void> {
  const before = life.state;
  const loaded = await processRows.loadProcess(life.ref);
  if (loaded === null) throw ApplicationFailure.nonRetryable('The row of this process is gone.', 'process_not_found');
  life.state = loaded.state;
  life.revision = loaded.revision;
  await updateAlerts(life, before, []);
}

/**
 * Raises what somebody must look at, again when a day has passed over it, and takes it back when it is over; `before`
 * is null for a run that begins.
 */
export async function updateAlerts(
  { ref, state }: ProcessRun,
  before: ProcessState | null,
  events: readonly ProcessEvent[],
): Promise<void> {
  const was = before === null ? null : alertKindOf(before);
  const is = alertKindOf(state);
  const isOverdue = events.some(({ type }) => type === 'ParkingOverdue' || type === 'WaitOverdue');
  if (was !== null && was !== is) await processRows.clearProcessAlert({ ...ref, kind: was });
  if (is !== null && (is !== was || isOverdue)) await processRows.alertProcess({ ...ref, kind: is, state });
}

/** Shows operators where the process stands, when it stands. */
function show(life: ProcessRun): void {
  const {
    state: { status, currentStep, history, cause },
  } = life;
  const shown = JSON.stringify([status, currentStep]);
  if (life.shown !== shown)
    upsertSearchAttributes([
      { key: processStatus, value: status },
      { key: processStep, value: currentStep },
    ]);
  life.shown = shown;
  const lines = history.map(({ step, status: stepStatus, error, compensation }) => {
    const trouble = compensation?.error ?? error;
    return `- ${step}: ${stepStatus}${trouble === null ? '' : ` (${trouble.code}: ${trouble.message})`}`;
  });
  setCurrentDetails(
    [`**${status}**${cause === null ? '' : ` since ${cause.code}: ${cause.message}`}`, ...lines].join('\n'),
  );
}

function acting({ definition }: ProcessRun, step: string): ActingStep {
  const declared = stepOf(definition, step);
  if (isWaiting(declared)) throw new Error(`step ${step} waits; there is nothing to do`);
  return declared;
}

function undoOf(life: ProcessRun, step: string): string {
  const { compensate: undo } = acting(life, step);
  if (undo === undefined) throw new Error(`step ${step} has no undo`);
  return undo;
}
