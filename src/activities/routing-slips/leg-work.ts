import type pg from 'pg';
import type { LegKey } from '../../db/routing-slips/slip-rows.ts';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { SlipCause } from '../../domain/routing-slips/codes.ts';
import type { JsonObject } from '../../domain/routing-slips/references.ts';
import { itineraryIn, readLegName } from '../../domain/routing-slips/routing-slip-process.ts';
import type { LocalStep } from '../process/step-functions.ts';
import type { TakenLeg } from './leg-functions.ts';

/** A leg that is refused. */
export interface Refused {
  readonly isDone: false;
  readonly code: SlipCause;
  readonly message: string;
}

/** The refusal of a leg, by a cause of every slip's. */
export function refusal(code: SlipCause, message: string): Refused {
  return { isDone: false, code, message };
}

/** A step over a list, one slip after another: their legs have nothing in common. */
export function each(one: (client: pg.ClientBase, work: StepWork) => Promise<StepResult>): LocalStep {
  return async (client, works) => {
    const results: StepResult[] = [];
    for (const work of works) results.push(await one(client, work));
    return results;
  };
}

/** The leg's row. */
export function keyOf({ tenantId, processId }: StepWork, leg: string): LegKey {
  return { tenantId, processId, number: readLegName(leg).number };
}

/** The leg with these arguments, as its activity gets it. */
export function takenLeg({ tenantId, processId, data, attempts }: StepWork, leg: string, values: JsonObject): TakenLeg {
  const itinerary = itineraryIn(data);
  return { tenantId, processId, leg, arguments: values, attempts, ahead: itinerary.slice(itinerary.indexOf(leg) + 1) };
}
