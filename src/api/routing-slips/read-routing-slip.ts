import { z } from 'zod';
import type { Caller } from '../../auth/roles.ts';
import { findProcess, type ProcessKey } from '../../db/processes/process-list.ts';
import { findRoutingSlip } from '../../db/routing-slips/slip-rows.ts';
import { STEP_STATUSES } from '../../domain/process/statuses.ts';
import { isoTimeOrNull } from '../../domain/shared/time.ts';
import { itineraryIn, readLegName } from '../../domain/routing-slips/routing-slip-process.ts';
import type { Db } from '../../postgres/client.ts';
import { processCause, processSummary } from '../processes/process.schemas.ts';
import { Problem } from '../http/problem.ts';
import type { routingSlipSchema } from './routing-slip.schemas.ts';

const storedLegs = z.array(
  z.object({
    step: z.string(),
    status: z.enum(STEP_STATUSES),
    attempts: z.number(),
    completedAt: z.number().nullable(),
    error: processCause.nullable(),
  }),
);

/** The slip as answers have it, unless another service than the caller has sent it. */
export async function readSlip(db: Db, key: ProcessKey, caller: Caller): Promise<z.input<typeof routingSlipSchema>> {
  const slip = await findRoutingSlip(db.pool, key);
  const row = slip === undefined ? null : await db.inTenant(key.tenantId, (tx) => findProcess(tx, key));
  if (slip === undefined || row === null || (caller.role === 'service' && caller.service !== slip.service))
    throw new Problem('routing_slip_not_found');
  const taken = new Map(storedLegs.parse(row.history).map((leg) => [leg.step, leg]));
  const asked = new Map(slip.legs.map((leg) => [leg.number, leg.arguments]));
  const { status, currentStep, cause, startedAt, updatedAt } = processSummary(row);
  return {
    id: key.processId,
    status,
    currentLeg: currentStep,
    cause,
    itinerary: itineraryIn(z.record(z.string(), z.unknown()).parse(row.data)).map((leg) => {
      const { number, activity } = readLegName(leg);
      const execution = taken.get(leg);
      return {
        leg,
        activity,
        arguments: asked.get(number) ?? {},
        status: execution?.status ?? 'pending',
        attempts: execution?.attempts ?? 0,
        completedAt: isoTimeOrNull(execution?.completedAt ?? null),
        error: execution?.error ?? null,
      };
    }),
    variables: slip.variables,
    createdAt: startedAt,
    updatedAt,
  };
}
