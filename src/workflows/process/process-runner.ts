import { assertNever } from '../../domain/shared/assert-never.ts';
import { actionOf, alertKindOf } from '../../domain/process/action.ts';
import { applyAll, applyOutcome } from '../../domain/process/decide.ts';
import { actingStepOf, type ActingStep } from '../../domain/process/definition.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import { executionOf, type ProcessState } from '../../domain/process/state.ts';
import type { Change, Entity, Move } from '../runtime/decider.ts';
import type { FoundFact, ProcessRef } from './process.activities.ts';
import type { ProcessKind } from './process.view.ts';
import { processRows, stepActivity } from './step-activity.ts';

type Process = Entity<ProcessKind>;

/** The run of a process. */
export interface Run {
  readonly ref: ProcessRef;
  /** Takes an event that an activity has found in the rows like one that was signalled. */
  readonly hear: (fact: FoundFact | undefined) => void;
}

/** The action that the state of a process calls for, with what carries it out. */
export function nextMove(run: Run, entity: Process): Move<ProcessKind> {
  const action = actionOf(entity.settings, entity.state);
  switch (action.type) {
    case 'execute':
      return { type: 'act', act: () => execute(run, entity, action.step) };
    case 'compensate':
      return { type: 'act', act: () => compensate(run, entity, action.steps) };
    case 'rest':
    case 'end':
      return action;
    default:
      return assertNever(action);
  }
}

async function execute(run: Run, entity: Process, step: string): Promise<Change<ProcessKind> | null> {
  const { state } = entity;
  const { execute: activity, isRemote, skip } = acting(entity, step);
  if (isSkipped(state, step)) {
    if (skip === undefined) throw new Error(`step ${step} has no skip`);
    return perform(run, entity, { step, activity: skip, started: [] });
  }
  const isBegun = executionOf(state, step)?.status === 'running';
  // A local step commits together with its outcome, so nobody sees it under way.
  const started: ProcessEvent = { type: 'StepStarted', step, sequence: state.sequence + 1, at: Date.now() };
  return perform(run, entity, { step, activity, started: isRemote === true && !isBegun ? [started] : [] });
}

/**
 * Runs undos, several at a time for a `parallel` type. Each writes its own outcome, so that their order is read from
 * the row.
 */
async function compensate(run: Run, entity: Process, steps: readonly string[]): Promise<Change<ProcessKind> | null> {
  const [first, ...others] = steps;
  if (first !== undefined && others.length === 0)
    return perform(run, entity, { step: first, activity: undoOf(entity, first), started: [] });
  const { state, revision } = entity;
  await Promise.all(
    steps.map((step) =>
      stepActivity(
        acting(entity, step),
        undoOf(entity, step),
      )({ ...run.ref, step, state, revision, now: Date.now(), isParallel: true }),
    ),
  );
  return null;
}

/**
 * Calls the activity of a step. Answers its outcome and those of the steps that ran after it in its transaction; the
 * activity has written them.
 */
async function perform(
  { ref, hear }: Run,
  entity: Process,
  { step, activity, started }: { step: string; activity: string; started: readonly ProcessEvent[] },
): Promise<Change<ProcessKind> | null> {
  let state = applyAll(entity.state, started);
  const revision = entity.revision + 1;
  const { isRemote, ...local } = acting(entity, step);
  const call = stepActivity(
    isSkipped(entity.state, step) || isRemote !== true ? local : { ...local, isRemote },
    activity,
  );
  const answer = await call({ ...ref, step, state, revision, now: Date.now() });
  if (answer.isSuperseded) return null;
  hear(answer.fact);
  const events = answer.settled.flatMap(({ outcome, at }) => {
    const following = applyOutcome(entity.settings, state, outcome, at);
    state = applyAll(state, following);
    return following;
  });
  return { state, revision, events };
}

/**
 * Raises the alert that the state calls for, again after each day, and resolves it when the state no longer does.
 * `before` is null for a run that begins.
 */
export async function updateAlerts(
  ref: ProcessRef,
  state: ProcessState,
  { before, events }: { before: ProcessState | null; events: readonly ProcessEvent[] },
): Promise<void> {
  const was = before === null ? null : alertKindOf(before);
  const is = alertKindOf(state);
  const isOverdue = events.some(({ type }) => type === 'ParkingOverdue' || type === 'WaitOverdue');
  if (was !== null && was !== is) await processRows.clearProcessAlert({ ...ref, kind: was });
  if (is !== null && (is !== was || isOverdue)) await processRows.alertProcess({ ...ref, kind: is, state });
}

/** Whether an operator has it done by hand; once it was undone again, its undo is what is left. */
function isSkipped(state: ProcessState, step: string): boolean {
  const execution = executionOf(state, step);
  return execution?.status === 'pending' && execution.decided?.command === 'skipStep';
}

function acting({ settings: definition, state }: Process, step: string): ActingStep {
  return actingStepOf(definition, step, state.data);
}

function undoOf(entity: Process, step: string): string {
  const { compensate: undo } = acting(entity, step);
  if (undo === undefined) throw new Error(`step ${step} has no undo`);
  return undo;
}
