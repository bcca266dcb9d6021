import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import type { Db } from '../db/client.ts';
import { isDatabaseAway } from '../db/failures.ts';
import { rawTransaction } from '../db/raw-transaction.ts';
import type { StepOutcome } from '../domain/process/decide.ts';
import {
  DEFAULT_ATTEMPTS, DEFAULT_TIME_LIMIT_MS, isWaiting, stepOf, type ActingStep, type ProcessDefinition,
} from '../domain/process/definition.ts';
import { executionOf, type Cause } from '../domain/process/state.ts';
import { StepFailure, type StepResult, type StepWork } from '../domain/process/step-work.ts';
import type { StepActivity, StepAnswer, StepCall } from './process.types.ts';
import { countAttempt, settle, standingOf, writeBegin } from './step-row.ts';

/**
 * Does or undoes a step for a list of processes of one tenant, with an outcome for each in the order of the list, in the
 * transaction that also writes their rows. It may be called again for what it has done already, and does nothing then.
 */
export type LocalStep = (client: pg.ClientBase, works: readonly StepWork[]) => Promise<readonly StepResult[]>;

/** The same by calls that leave the process, outside any transaction, until `signal` says that the time is up. */
export type RemoteStep = (works: readonly StepWork[], signal: AbortSignal) => Promise<readonly StepResult[]>;

/** What does a step. */
export type StepFunction = { readonly local: LocalStep } | { readonly remote: RemoteStep };

/** What every step needs. */
export interface StepDeps {
  readonly db: Pick<Db, 'pool'>;
  readonly processType: (type: string) => ProcessDefinition;
}

/** What one call is about. */
interface Attempt {
  readonly definition: ProcessDefinition;
  readonly call: StepCall;
  readonly declared: ActingStep;
  readonly isUndo: boolean;
}

/**
 * Makes the activity of a step: locks the row, does the step and writes what became of it, in one transaction. An attempt that fails
 * is counted in the row; after the last one the failure is the outcome. PostgreSQL being away is nobody's attempt.
 */
export function createStepActivity({ db, processType }: StepDeps, step: StepFunction): StepActivity {
  return async (call) => {
    const definition = processType(call.type);
    const isUndo = executionOf(call.state, call.step)?.status === 'compensating';
    const attempt: Attempt = { definition, call, declared: actingStep(definition, call), isUndo };
    try {
      return 'local' in step
        ? await inStep(db, attempt, (client, attempts) => step.local(client, [workOf(call, attempts)]))
        : await remotely(db, attempt, step.remote);
    } catch (error) {
      // What Temporal is told already, such as the pause to the next attempt, has been counted.
      if (isDatabaseAway(error) || error instanceof ApplicationFailure) throw error;
      return failed(db, attempt, causeOf(error, attempt.declared));
    }
  };
}

/** Runs `work` between the lock on the row and the write of its outcome. */
async function inStep(
  { pool }: StepDeps['db'], { definition, call, isUndo }: Attempt, work: (client: pg.ClientBase, attempts: number) => Promise<readonly StepResult[]>,
): Promise<StepAnswer> {
  return rawTransaction(pool, call.tenantId, async (client) => {
    const standing = await standingOf(client, call);
    if (!standing.isFree) return standing.answer;
    const [result] = await work(client, standing.attempts);
    if (result === undefined) throw new Error(`step ${call.step} has no outcome`);
    const outcome = outcomeOf(call, result, { attempts: standing.attempts + 1, isUndo });
    return settle(client, { definition, call, row: standing.row, outcome });
  });
}

/** The begin is written first, so that a run that goes on from the row knows that the call may have been made. */
async function remotely(db: StepDeps['db'], attempt: Attempt, remote: RemoteStep): Promise<StepAnswer> {
  const { call, declared } = attempt;
  const begun = await rawTransaction(db.pool, call.tenantId, async (client) => {
    const standing = await standingOf(client, call);
    return standing.isFree ? { isFree: true as const, attempts: await writeBegin(client, call, standing) } : standing;
  });
  if (!begun.isFree) return begun.answer;
  let results: readonly StepResult[];
  try {
    results = await within(declared.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS, (signal) => remote([workOf(call, begun.attempts)], signal));
  } catch (error) {
    // Counted whatever it is: a service that can't be reached is not PostgreSQL, though the errors look alike.
    return failed(db, attempt, causeOf(error, declared));
  }
  return inStep(db, attempt, async () => results);
}

/** Counts a failed attempt; the last one becomes the outcome. */
async function failed({ pool }: StepDeps['db'], { definition, call, declared, isUndo }: Attempt, cause: Cause): Promise<StepAnswer> {
  const policy = (isUndo ? declared.compensationAttempts : declared.attempts) ?? DEFAULT_ATTEMPTS;
  const answer = await rawTransaction(pool, call.tenantId, async (client) => {
    const standing = await standingOf(client, call);
    if (!standing.isFree) return standing.answer;
    const { row } = standing;
    const attempts = standing.attempts + 1;
    const pauseMs = await countAttempt(client, { call, row, attempts, cause, policy });
    if (pauseMs !== null) return { pauseMs };
    const outcome: StepOutcome = { type: isUndo ? 'compensationFailed' : 'failed', step: call.step, attempts, cause };
    return settle(client, { definition, call, row, outcome });
  });
  if (!('pauseMs' in answer)) return answer;
  throw ApplicationFailure.create({ type: cause.code, message: cause.message, nextRetryDelay: answer.pauseMs });
}

function outcomeOf({ step }: StepCall, result: StepResult, { attempts, isUndo }: { attempts: number; isUndo: boolean }): StepOutcome {
  if (result.isDone) return isUndo ? { type: 'compensated', step, attempts } : { type: 'completed', step, attempts, result: result.result ?? {} };
  const cause: Cause = { code: result.code, message: result.message, class: 'refused' };
  return { type: isUndo ? 'compensationFailed' : 'failed', step, attempts, cause };
}

const LONGEST_MESSAGE = 300;

function causeOf(error: unknown, { failures = {} }: ActingStep): Cause {
  const code = error instanceof StepFailure ? error.code : 'step_error';
  // What others say may hold what PostgreSQL can't keep, and is cut in the middle of a character.
  const message = error instanceof Error ? error.message.replaceAll('\0', ' ').slice(0, LONGEST_MESSAGE).toWellFormed() : 'unknown';
  return { code, message, class: failures[code] ?? (code === TIMED_OUT ? 'unknown' : 'transient') };
}

const TIMED_OUT = 'timed_out';

/** Rejects when the time is up, whether or not `work` hears its signal. */
async function within<Result>(timeLimitMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new StepFailure(TIMED_OUT, `No answer within ${timeLimitMs} ms.`));
    controller.abort();
  }, timeLimitMs);
  try {
    return await Promise.race([work(controller.signal), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function actingStep(definition: ProcessDefinition, { step }: StepCall): ActingStep {
  const declared = stepOf(definition, step);
  if (isWaiting(declared)) throw new Error(`step ${step} waits; there is nothing to do`);
  return declared;
}

function workOf({ tenantId, processId, step, state }: StepCall, attempts: number): StepWork {
  const execution = executionOf(state, step);
  // The row counts again from an operator's retry; what was tried before that may have taken effect, too.
  const before = execution?.decided?.command === 'retryStep' ? execution.attempts : 0;
  return { tenantId, processId, data: state.data, attempts: before + attempts };
}
