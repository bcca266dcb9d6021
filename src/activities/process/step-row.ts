import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import {
  beginCall,
  eventsAfter,
  lockProcesses,
  recordAttempt,
  writeProcesses,
  type LockedProcess,
} from '../../db/processes/process-rows.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { applyAll, applyOutcome, type StepOutcome } from '../../domain/process/decide.ts';
import {
  isWaiting,
  pauseAfter,
  findStep,
  type Attempts,
  type ProcessData,
  type ProcessDefinition,
} from '../../domain/process/definition.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import { executionOf, type Cause, type ProcessState } from '../../domain/process/state.ts';
import type { AppliedOutcome, StepAnswer, StepCall } from '../../workflows/process/process.activities.ts';
import type { ProcessCause, ProcessFailure } from '../../domain/process/codes.ts';

/** The call of a step's activity, with the definition of its process. */
export interface Called {
  readonly definition: ProcessDefinition;
  readonly call: StepCall;
}

/** What a locked row says of a step or an undo: to be run now (`isFree`), or run before, with the answer to give. */
type LockedStep =
  | { readonly isFree: true; readonly row: LockedProcess; readonly attempts: number }
  | { readonly isFree: false; readonly answer: StepAnswer };

const SUPERSEDED: LockedStep = { isFree: false, answer: { isSuperseded: true } };

/** Cause of a remote call that was started and never answered, because its worker died. */
const NO_ANSWER: Cause<ProcessCause> = {
  code: 'no_answer',
  message: 'A call was made, and what became of it is not known.',
  class: 'unknown',
};

/**
 * Locks the row and tells whether the step is still to be run. A revision is written once. A caller that finds its own
 * revision written, by its own run, wrote it in an earlier attempt and gets that outcome; every other one belongs to an
 * earlier run, and is superseded.
 */
export async function lockStep(client: pg.ClientBase, { definition, call }: Called): Promise<LockedStep> {
  const { tenantId, processId, step, revision, state } = call;
  if (definition.isTold === true) await lockStreams(client, [processId]);
  const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
  if (row === undefined)
    throw ApplicationFailure.nonRetryable(
      'There is no row of this process.',
      'process_not_found' satisfies ProcessFailure,
    );
  if (call.isParallel === true) return besideOthers(row, call);
  if (row.revision < revision && row.state.sequence <= state.sequence)
    return { isFree: true, row, attempts: row.attempts };
  if (row.revision !== revision || row.writer !== writerOf()) return SUPERSEDED;
  const written = await eventsAfter(client, { tenantId, processId, sequence: state.sequence });
  const settled = written.flatMap((event) => settledIn(definition, call.state.data, event));
  return settled[0]?.outcome.step === step ? { isFree: false, answer: { isSuperseded: false, settled } } : SUPERSEDED;
}

/**
 * The same for one of several undos at a time: they share a revision, so the status of the undo tells whether it was
 * run.
 */
function besideOthers(row: LockedProcess, { step, revision }: StepCall): LockedStep {
  const execution = executionOf(row.state, step);
  if (row.revision !== revision || execution?.status !== 'compensating') return SUPERSEDED;
  return { isFree: true, row, attempts: execution.compensation?.attempts ?? 0 };
}

/**
 * Writes that a remote call starts. A call that was started before and never answered counts as a failed attempt.
 * Answers the number of failed attempts.
 */
export async function recordCallStarted(
  client: pg.ClientBase,
  call: StepCall,
  { row, attempts }: Extract<LockedStep, { isFree: true }>,
): Promise<number> {
  const { tenantId, processId, type, step, state } = call;
  // An undo: its start was written when the process turned back
  if (executionOf(state, step)?.status !== 'running') return attempts;
  if (executionOf(row.state, step)?.status === 'running')
    return beginCall(client, { tenantId, processId, unanswered: NO_ANSWER });
  const begun: ProcessEvent = { type: 'StepStarted', step, sequence: state.sequence, at: state.updatedAt };
  await writeProcesses(client, {
    tenantId,
    writes: [{ processId, type, state, revision: row.revision, writer: row.writer ?? '', events: [begun] }],
  });
  return attempts;
}

/**
 * Writes the outcome of a step, and of the steps that ran after it in the same transaction; answers them with the state
 * that they led to.
 */
export async function writeOutcome(
  client: pg.ClientBase,
  { definition, call, row, outcomes }: Called & { row: LockedProcess; outcomes: readonly StepOutcome[] },
): Promise<{ readonly answer: Extract<StepAnswer, { isSuperseded: false }>; readonly state: ProcessState }> {
  const { tenantId, processId, type, isParallel } = call;
  const before = isParallel === true ? row.state : call.state;
  // The worker's clock may be behind Temporal's, by which the workflow's timers fire: the row must not be dated before
  // its call.
  const at = Math.max(Date.now(), call.now, before.updatedAt);
  const { state, events } = applyOutcomes(definition, before, outcomes, at);
  const written =
    isParallel === true
      ? { revision: row.revision, writer: row.writer ?? '' }
      : { revision: call.revision, writer: writerOf() };
  await writeProcesses(client, { tenantId, writes: [{ processId, type, state, events, ...written }] });
  return { state, answer: { isSuperseded: false, settled: outcomes.map((outcome) => ({ outcome, at })) } };
}

/** The state after these outcomes, in their order, and the events that led to it. */
export function applyOutcomes(
  definition: ProcessDefinition,
  before: ProcessState,
  outcomes: readonly StepOutcome[],
  at: number,
): { state: ProcessState; events: readonly ProcessEvent[] } {
  let state = before;
  const events = outcomes.flatMap((outcome) => {
    const following = applyOutcome(definition, state, outcome, at);
    state = applyAll(state, following);
    return following;
  });
  return { state, events };
}

/**
 * Throws, for a retry later, while the pause after a failed attempt lasts. Temporal keeps the pause between attempts of
 * one activity; the row alone knows of an attempt in another step's transaction or in an earlier run.
 */
export function assertBackoffElapsed({ retryAt }: LockedProcess): void {
  const pauseMs = (retryAt ?? 0) - Date.now();
  if (pauseMs <= 0 || Context.current().info.attempt > 1) return;
  throw ApplicationFailure.create({
    type: 'pausing' satisfies ProcessFailure,
    message: 'The pause after a failed attempt is not over.',
    nextRetryDelay: pauseMs,
  });
}

/** Counts a failed attempt in the row and answers the pause to the next, in milliseconds; null: it was the last. */
export async function countAttempt(
  client: pg.ClientBase,
  {
    call,
    row,
    attempts,
    cause,
    policy,
  }: { call: StepCall; row: LockedProcess; attempts: number; cause: Cause; policy: Attempts },
): Promise<number | null> {
  const { tenantId, processId, type, step, isParallel } = call;
  const pauseMs = cause.class === 'refused' ? null : pauseAfter(policy, { id: processId, attempts });
  if (pauseMs === null) return null;
  if (isParallel === true) {
    // The row's `attempts` counts for one step at a time; undos at the same time count in the history.
    const history = row.state.history.map((execution) =>
      execution.step === step && execution.compensation !== null
        ? { ...execution, compensation: { ...execution.compensation, attempts, error: cause } }
        : execution,
    );
    const { revision, writer } = row;
    await writeProcesses(client, {
      tenantId,
      writes: [{ processId, type, state: { ...row.state, history }, revision, writer: writer ?? '', events: [] }],
    });
  }
  await recordAttempt(client, { tenantId, processId, attempts, cause, retryAt: new Date(Date.now() + pauseMs) });
  return pauseMs;
}

/**
 * The outcome that an event records; none for a step that waits, since its end follows from the event it waited for.
 */
function settledIn(definition: ProcessDefinition, data: ProcessData, event: ProcessEvent): readonly AppliedOutcome[] {
  if (!('step' in event)) return [];
  const declared = findStep(definition, event.step, data);
  if (declared !== null && isWaiting(declared)) return [];
  const outcome = outcomeIn(event);
  return outcome === null ? [] : [{ outcome, at: event.at }];
}

function outcomeIn(event: ProcessEvent): StepOutcome | null {
  switch (event.type) {
    case 'StepCompleted':
      return { type: 'completed', step: event.step, attempts: event.attempts, result: event.result };
    case 'StepFailed':
      return { type: 'failed', step: event.step, attempts: event.attempts, cause: event.cause };
    case 'StepCompensated':
      return { type: 'compensated', step: event.step, attempts: event.attempts };
    case 'StepCompensationFailed':
      return { type: 'compensationFailed', step: event.step, attempts: event.attempts, cause: event.cause };
    default:
      return null;
  }
}

/** The run id of the workflow that called the activity, which the row keeps as its writer. */
export function writerOf(): string {
  return Context.current().info.workflowExecution?.runId ?? '';
}
