import { ApplicationFailure } from '@temporalio/common';
import pTimeout from 'p-timeout';
import type pg from 'pg';
import type { Db } from '../../postgres/client.ts';
import { FACTS, findFact, type Facts } from '../../db/facts.ts';
import { isDatabaseAway } from '../../postgres/errors.ts';
import { recordAttempt } from '../../db/processes/process-rows.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import type { StepOutcome } from '../../domain/process/decide.ts';
import {
  actingStepOf,
  DEFAULT_ATTEMPTS,
  DEFAULT_TIME_LIMIT_MS,
  type ActingStep,
  type ProcessDefinition,
} from '../../domain/process/definition.ts';
import { executionOf, type Cause } from '../../domain/process/state.ts';
import { StepFailure, type StepResult, type StepWork } from '../../domain/process/step-work.ts';
import { NOTHING, runFollowingSteps } from './joined-steps.ts';
import type { StepActivity, StepAnswer, StepCall } from '../../workflows/process/process.activities.ts';
import { withHeartbeat } from '../with-heartbeat.ts';
import { functionOf, type RemoteStep, type Step, type Steps } from './step-functions.ts';
import { causeOf, outcomeOf, TIMED_OUT } from './step-outcome.ts';
import {
  assertBackoffElapsed,
  countAttempt,
  writeOutcome,
  lockStep,
  recordCallStarted,
  type Called,
} from './step-row.ts';
import type { ProcessCause } from '../../domain/process/codes.ts';

/** What the activities of steps are built from. */
export interface StepDeps {
  readonly db: Pick<Db, 'pool'>;
  readonly processType: (type: string) => ProcessDefinition;
  /** Functions that find what processes wait for, where they are not the product's. */
  readonly finders?: Facts['finders'];
}

/** One attempt at a step. */
interface Attempt extends Called {
  readonly declared: ActingStep;
  readonly isUndo: boolean;
}

/**
 * Makes the activity of a step: locks the row, runs the step and writes its outcome, in one transaction. A failed
 * attempt is counted in the row; after the last one the failure is the outcome. An attempt that fails because
 * PostgreSQL is away is not counted.
 */
export function createStepActivity(deps: StepDeps, step: Step, steps: Steps = {}): StepActivity {
  return async (call) => {
    const definition = deps.processType(call.type);
    const isUndo = executionOf(call.state, call.step)?.status === 'compensating';
    const attempt: Attempt = {
      definition,
      call,
      declared: actingStepOf(definition, call.step, call.state.data),
      isUndo,
    };
    try {
      const chosen = functionOf(step, call.state.data, call.step);
      return 'local' in chosen
        ? await inStep(deps, attempt, (client, attempts) => chosen.local(client, [workOf(call, attempts)]), steps)
        : await withHeartbeat(() => callOutside(deps, attempt, chosen.remote));
    } catch (error) {
      // An ApplicationFailure was made here, after its attempt was counted.
      if (isDatabaseAway(error) || error instanceof ApplicationFailure) throw error;
      return failed(deps.db, attempt, causeOf(error, attempt.declared));
    }
  };
}

/** Makes the activities of steps; local ones that follow each other share a transaction where the type declares it. */
export function stepActivities<Names extends Steps>(
  deps: StepDeps,
  steps: Names,
): { [Name in keyof Names]: StepActivity } {
  const activities = Object.entries(steps).map(([name, step]) => [name, createStepActivity(deps, step, steps)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one activity for each step, under its name
  return Object.fromEntries(activities) as { [Name in keyof Names]: StepActivity };
}

/** Runs `work` between the lock on the row and the write of its outcome. */
async function inStep(
  { db, finders = FACTS.finders }: StepDeps,
  attempt: Attempt,
  work: (client: pg.ClientBase, attempts: number) => Promise<readonly StepResult[]>,
  steps: Steps = {},
): Promise<StepAnswer> {
  const { definition, call, isUndo } = attempt;
  return rawTransaction(db.pool, call.tenantId, async (client) => {
    const standing = await lockStep(client, attempt);
    if (!standing.isFree) return standing.answer;
    if (call.isParallel !== true) assertBackoffElapsed(standing.row);
    const [result] = await work(client, standing.attempts);
    if (result === undefined) throw new Error(`step ${call.step} has no outcome`);
    const outcome = outcomeOf(call.step, result, { attempts: standing.attempts + 1, isUndo });
    // After a failed attempt a cancellation may be waiting: the workflow handles it before the next step runs.
    const following =
      standing.attempts > 0 ? NOTHING : await runFollowingSteps(client, { definition, call, outcome, steps });
    const { answer, state } = await writeOutcome(client, {
      definition,
      call,
      row: standing.row,
      outcomes: [outcome, ...following.outcomes],
    });
    if (following.failed !== null) await recordAttempt(client, { ...call, ...following.failed });
    // A wait that begins looks whether its event came before it.
    const fact = await findFact(client, { processType: () => definition, finders }, { ...call, state });
    return fact === undefined ? answer : { ...answer, fact };
  });
}

/**
 * Runs a remote step: writes its start, calls, writes the outcome. A run that goes on from the row thus knows that the
 * call may have been made.
 */
async function callOutside(deps: StepDeps, attempt: Attempt, remote: RemoteStep): Promise<StepAnswer> {
  const { call, declared } = attempt;
  const begun = await rawTransaction(deps.db.pool, call.tenantId, async (client) => {
    const standing = await lockStep(client, attempt);
    if (!standing.isFree) return standing;
    const works = [workOf(call, await recordCallStarted(client, call, standing))];
    return { isFree: true as const, works, needed: await remote.read(client, works) };
  });
  if (!begun.isFree) return begun.answer;
  const { works, needed } = begun;
  let answer: unknown;
  try {
    answer = await callInTime((signal) => remote.call(works, needed, signal), declared.timeLimitMs);
  } catch (error) {
    // Counted even when it looks like PostgreSQL being away: a socket error here is the other service's.
    return failed(deps.db, attempt, causeOf(error, declared));
  }
  return inStep(deps, attempt, (client) => remote.record(client, works, answer));
}

/** Counts a failed attempt and throws for the next one; after the last one writes the failure as the outcome. */
async function failed({ pool }: StepDeps['db'], attempt: Attempt, cause: Cause): Promise<StepAnswer> {
  const { definition, call, declared, isUndo } = attempt;
  const policy = (isUndo ? declared.compensationAttempts : declared.attempts) ?? DEFAULT_ATTEMPTS;
  const answer = await rawTransaction(pool, call.tenantId, async (client) => {
    const standing = await lockStep(client, attempt);
    if (!standing.isFree) return standing.answer;
    const { row } = standing;
    const attempts = standing.attempts + 1;
    const pauseMs = await countAttempt(client, { call, row, attempts, cause, policy });
    if (pauseMs !== null) return { pauseMs };
    const outcome: StepOutcome = { type: isUndo ? 'compensationFailed' : 'failed', step: call.step, attempts, cause };
    return (await writeOutcome(client, { definition, call, row, outcomes: [outcome] })).answer;
  });
  if (!('pauseMs' in answer)) return answer;
  throw ApplicationFailure.create({ type: cause.code, message: cause.message, nextRetryDelay: answer.pauseMs });
}

/** Rejects after `timeLimitMs`, whether or not the call obeys its signal. */
function callInTime<Answer>(
  call: (signal: AbortSignal) => Promise<Answer>,
  timeLimitMs = DEFAULT_TIME_LIMIT_MS,
): Promise<Answer> {
  const timeIsUp = new AbortController();
  return pTimeout(call(timeIsUp.signal), {
    milliseconds: timeLimitMs,
    fallback: () => {
      timeIsUp.abort();
      throw new StepFailure<ProcessCause>(TIMED_OUT, `No answer within ${timeLimitMs} ms.`);
    },
  });
}

function workOf({ tenantId, processId, step, state }: StepCall, attempts: number): StepWork {
  const execution = executionOf(state, step);
  // The row's count begins anew with an operator's retry, but attempts before it may have taken effect too.
  const isAgain = execution?.decided?.command === 'retryStep' || execution?.decided?.command === 'skipStep';
  const before = isAgain ? execution.attempts : 0;
  return { tenantId, processId, data: state.data, attempts: before + attempts };
}
