import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import { beginCall, eventsAfter, lockProcesses, recordAttempt, writeProcesses, type LockedProcess } from '../db/process-rows.ts';
import { applyAll, settleOutcome, type StepOutcome } from '../domain/process/decide.ts';
import { pauseAfter, type Attempts, type ProcessDefinition } from '../domain/process/definition.ts';
import type { ProcessEvent } from '../domain/process/events.ts';
import { executionOf, type Cause } from '../domain/process/state.ts';
import type { StepAnswer, StepCall } from './process.types.ts';

/** A step to be done or undone, as its row has it: free to be done, or answered already. */
type Standing =
  | { readonly isFree: true; readonly row: LockedProcess; readonly attempts: number }
  | { readonly isFree: false; readonly answer: StepAnswer };

const SUPERSEDED: Standing = { isFree: false, answer: { isSuperseded: true } };

/** The cause of a call whose worker went away with it. */
const NO_ANSWER: Cause = { code: 'no_answer', message: 'A call was made, and what became of it is not known.', class: 'unknown' };

/**
 * Locks the row and finds out whether the step is still to be done. A revision is written once: a caller that finds its own
 * revision there has written it before, with the same outcome, or is a run's late worker, which has nothing to say any more.
 */
export async function standingOf(client: pg.ClientBase, call: StepCall): Promise<Standing> {
  const { tenantId, processId, step, revision, state } = call;
  const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
  if (row === undefined) throw ApplicationFailure.nonRetryable('There is no row of this process.', 'process_not_found');
  if (call.isBeside === true) return besideOthers(row, call);
  if (row.revision < revision && row.state.sequence <= state.sequence) return { isFree: true, row, attempts: row.attempts };
  if (row.revision !== revision || row.writer !== writerOf()) return SUPERSEDED;
  const [written] = await eventsAfter(client, { tenantId, processId, sequence: state.sequence });
  const outcome = written === undefined ? null : outcomeIn(written, step);
  return outcome === null || written === undefined ? SUPERSEDED : { isFree: false, answer: { isSuperseded: false, outcome, at: written.at } };
}

/** Of several undos at once each finds the row as the others left it; one that is written already is not done again. */
function besideOthers(row: LockedProcess, { step, revision }: StepCall): Standing {
  const execution = executionOf(row.state, step);
  if (row.revision !== revision || execution?.status !== 'compensating') return SUPERSEDED;
  return { isFree: true, row, attempts: execution.compensation?.attempts ?? 0 };
}

/**
 * Writes that a call which leaves the process begins; one that was begun and never answered counts as an attempt. Answers
 * how many attempts there were.
 */
export async function writeBegin(client: pg.ClientBase, call: StepCall, { row, attempts }: Extract<Standing, { isFree: true }>): Promise<number> {
  const { tenantId, processId, step, state } = call;
  if (executionOf(state, step)?.status !== 'running') return attempts; // an undo, whose begin was written when it was decided on
  if (executionOf(row.state, step)?.status === 'running') return beginCall(client, { tenantId, processId, unanswered: NO_ANSWER });
  const begun: ProcessEvent = { type: 'StepStarted', step, sequence: state.sequence, at: state.updatedAt };
  await writeProcesses(client, { tenantId, writes: [{ processId, state, revision: row.revision, writer: row.writer ?? '', events: [begun] }] });
  return attempts;
}

/** Writes what became of a step. */
export async function settle(
  client: pg.ClientBase, { definition, call, row, outcome }: { definition: ProcessDefinition; call: StepCall; row: LockedProcess; outcome: StepOutcome },
): Promise<StepAnswer> {
  const { tenantId, processId, isBeside } = call;
  const before = isBeside === true ? row.state : call.state;
  // Not by the worker's clock alone, which may be behind Temporal's: what is awaited next is due by the latter.
  const at = Math.max(Date.now(), call.now, before.updatedAt);
  const events = settleOutcome(definition, before, outcome, at);
  const written = isBeside === true ? { revision: row.revision, writer: row.writer ?? '' } : { revision: call.revision, writer: writerOf() };
  await writeProcesses(client, { tenantId, writes: [{ processId, state: applyAll(before, events), events, ...written }] });
  return { isSuperseded: false, outcome, at };
}

/** Counts a failed attempt in the row and answers the pause to the next, in milliseconds; null: it was the last. */
export async function countAttempt(
  client: pg.ClientBase, { call, row, attempts, cause, policy }: { call: StepCall; row: LockedProcess; attempts: number; cause: Cause; policy: Attempts },
): Promise<number | null> {
  const { tenantId, processId, step, isBeside } = call;
  const pauseMs = cause.class === 'refused' ? null : pauseAfter(policy, attempts);
  if (pauseMs === null) return null;
  if (isBeside === true) {
    // The row's own count is for one step at a time.
    const history = row.state.history.map((execution) => execution.step === step && execution.compensation !== null
      ? { ...execution, compensation: { ...execution.compensation, attempts, error: cause } } : execution);
    const { revision, writer } = row;
    await writeProcesses(client, { tenantId, writes: [{ processId, state: { ...row.state, history }, revision, writer: writer ?? '', events: [] }] });
  }
  await recordAttempt(client, { tenantId, processId, attempts, cause, retryAt: new Date(Date.now() + pauseMs) });
  return pauseMs;
}

/** The outcome that an event tells of a step, if it does. */
function outcomeIn(event: ProcessEvent, step: string): StepOutcome | null {
  if (!('step' in event) || event.step !== step) return null;
  switch (event.type) {
    case 'StepCompleted': return { type: 'completed', step, attempts: event.attempts, result: event.result };
    case 'StepFailed': return { type: 'failed', step, attempts: event.attempts, cause: event.cause };
    case 'StepCompensated': return { type: 'compensated', step, attempts: event.attempts };
    case 'StepCompensationFailed': return { type: 'compensationFailed', step, attempts: event.attempts, cause: event.cause };
    default: return null;
  }
}

/** The run that writes. */
export function writerOf(): string {
  return Context.current().info.workflowExecution?.runId ?? '';
}
