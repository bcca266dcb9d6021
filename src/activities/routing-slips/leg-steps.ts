import type { SlipActivities } from '../../db/routing-slips/slip-activity.ts';
import { readLeg } from '../../db/routing-slips/slip-rows.ts';
import { actingStepOf } from '../../domain/process/definition.ts';
import type { StepResult } from '../../domain/process/step-work.ts';
import { readLegName, routingSlipProcess } from '../../domain/routing-slips/routing-slip-process.ts';
import type { LocalStep, RemoteStep, Step, StepFunction } from '../process/step-functions.ts';
import type { LegFunctions } from './leg-functions.ts';
import { each, keyOf, refusal } from './leg-work.ts';
import { callLeg, skipLeg, takeLeg } from './take-leg.ts';
import { callBackLeg, undoLeg } from './undo-leg.ts';

/** What the workers can do for slips: the functions of activities by the names of these. */
export type LegFunctionsByName = Readonly<Record<string, LegFunctions>>;

/**
 * The steps of every slip: a leg is taken, undone, or was done by hand. An activity that the code does not have is the
 * outcome of its legs.
 */
export function legSteps(byName: LegFunctionsByName): { takeLeg: Step; undoLeg: Step; skipLeg: Step } {
  const activities: SlipActivities = Object.fromEntries(
    Object.entries(byName).map(([name, { declared }]) => [name, declared]),
  );
  const step =
    (of: (leg: string, functions: LegFunctions) => StepFunction, otherwise: (leg: string) => LocalStep): Step =>
    (data, leg) => {
      const functions = functionsOf(byName, leg);
      const chosen = functions === undefined ? { local: otherwise(leg) } : of(leg, functions);
      // The workflow goes by what the activity was when the leg was put on the slip.
      const isRemote = actingStepOf(routingSlipProcess, leg, data).isRemote === true;
      return isRemote && 'local' in chosen ? { remote: asRemote(chosen.local) } : chosen;
    };
  return {
    takeLeg: step(
      (leg, { declared, how }) =>
        how.kind === 'local'
          ? { local: takeLeg({ leg, declared, activities }, how.functions.take) }
          : { remote: callLeg({ leg, declared, activities }, how.functions.call) },
      (leg) => each(async () => missing(leg)),
    ),
    undoLeg: step(
      (leg, { how }) =>
        how.kind === 'local'
          ? { local: undoLeg(leg, how.functions.undo) }
          : { remote: callBackLeg(leg, how.functions.undo) },
      (leg) =>
        each(async (client, work) => {
          const { taken, isDone } = await readLeg(client, keyOf(work, leg));
          return taken === null && !isDone ? { isDone: true } : missing(leg);
        }),
    ),
    skipLeg: (_, leg) => ({
      local: skipLeg({ leg, activities }, functionsOf(byName, leg)?.how.functions.skip),
    }),
  };
}

function functionsOf(byName: LegFunctionsByName, leg: string): LegFunctions | undefined {
  const { activity } = readLegName(leg);
  return Object.hasOwn(byName, activity) ? byName[activity] : undefined;
}

function missing(leg: string): StepResult {
  return refusal('activity_missing', `The code of this worker has no activity "${readLegName(leg).activity}".`);
}

function asRemote(local: LocalStep): RemoteStep {
  return { read: async () => null, call: async () => null, record: (client, works) => local(client, works) };
}
