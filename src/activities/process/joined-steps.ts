import type pg from 'pg';
import { isDatabaseAway } from '../../postgres/errors.ts';
import { actionOf } from '../../domain/process/action.ts';
import type { StepOutcome } from '../../domain/process/decide.ts';
import {
  actingStepOf,
  DEFAULT_ATTEMPTS,
  pauseAfter,
  type ActingStep,
  type ProcessDefinition,
} from '../../domain/process/definition.ts';
import type { Cause, ProcessState } from '../../domain/process/state.ts';
import type { StepWork } from '../../domain/process/step-work.ts';
import { functionOf, type LocalStep, type Steps } from './step-functions.ts';
import { causeOf, outcomeOf } from './step-outcome.ts';
import { applyOutcomes, type Called } from './step-row.ts';

/**
 * Outcomes of the steps that ran after the first in its transaction, and the failed attempt of the step that ended the
 * sequence, to be counted in the row; null: no attempt failed.
 */
export interface Following {
  readonly outcomes: readonly StepOutcome[];
  readonly failed: { readonly attempts: number; readonly cause: Cause; readonly retryAt: Date } | null;
}

/** No further step ran. */
export const NOTHING: Following = { outcomes: [], failed: null };

/**
 * Runs the steps after `outcome` in the same transaction, each behind a savepoint, as long as the process type declares
 * `sharesTransaction`, the next step is local and it succeeds. A step that fails rolls back its own changes alone, and
 * is retried by an activity of its own.
 */
export async function runFollowingSteps(
  client: pg.ClientBase,
  { definition, call, outcome, steps }: Called & { outcome: StepOutcome; steps: Steps },
): Promise<Following> {
  if (definition.sharesTransaction !== true || outcome.type !== 'completed') return NOTHING;
  const outcomes: StepOutcome[] = [];
  for (;;) {
    const { state } = applyOutcomes(definition, call.state, [outcome, ...outcomes], call.now);
    const next = nextLocal({ definition, state, steps });
    if (next === null) return { outcomes, failed: null };
    const { step, declared, local } = next;
    const { tenantId, processId } = call;
    const taken = await attempt(client, local, { tenantId, processId, data: state.data, attempts: 0 });
    if (!('error' in taken)) {
      outcomes.push(outcomeOf(step, taken.result, { attempts: 1, isUndo: false }));
      continue;
    }
    const cause = causeOf(taken.error, declared);
    const pauseMs =
      cause.class === 'refused'
        ? null
        : pauseAfter(declared.attempts ?? DEFAULT_ATTEMPTS, { id: processId, attempts: 1 });
    if (pauseMs !== null) return { outcomes, failed: { attempts: 1, cause, retryAt: new Date(Date.now() + pauseMs) } };
    outcomes.push({ type: 'failed', step, attempts: 1, cause });
  }
}

/** The next step, if it is local. */
function nextLocal({
  definition,
  state,
  steps,
}: {
  definition: ProcessDefinition;
  state: ProcessState;
  steps: Steps;
}): { step: string; declared: ActingStep; local: LocalStep } | null {
  const action = actionOf(definition, state);
  if (action.type !== 'execute') return null;
  const declared = actingStepOf(definition, action.step, state.data);
  const found = declared.isRemote === true ? undefined : steps[declared.execute];
  const chosen = found === undefined ? null : functionOf(found, state.data, action.step);
  return chosen !== null && 'local' in chosen ? { step: action.step, declared, local: chosen.local } : null;
}

async function attempt(
  client: pg.ClientBase,
  local: LocalStep,
  work: StepWork,
): Promise<{ readonly result: Awaited<ReturnType<LocalStep>>[number] } | { readonly error: unknown }> {
  await client.query('SAVEPOINT following');
  try {
    const [result] = await local(client, [work]);
    if (result === undefined) throw new Error('a step has no outcome');
    return { result };
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT following');
    return { error };
  }
}
