import { legName, routingSlipProcess, type RoutingSlipData } from '../../domain/routing-slips/routing-slip-process.ts';
import type { JsonObject } from '../../domain/routing-slips/references.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import type { TenantPool } from '../../postgres/pool.ts';
import { runStatement } from '../../postgres/statement.ts';
import { newProcess } from '../processes/new-process.ts';
import { insertProcessesSql, processesParameter } from '../processes/process-rows.ts';
import type { NewLeg } from './check-itinerary.ts';
import { findActivity, traitsOf, type SlipActivities } from './slip-activity.ts';

/** A slip as it is sent; its itinerary has no faults. */
export interface NewRoutingSlip {
  readonly tenantId: string;
  readonly processId: string;
  /** The service that sends it; null: an operator or an administrator does. */
  readonly service: string | null;
  readonly itinerary: readonly NewLeg[];
  readonly variables: JsonObject;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Legs with the names that they get on a slip, and what its process keeps of them. */
export function namedLegs(
  activities: SlipActivities,
  legs: readonly NewLeg[],
  firstNumber: number,
): { readonly names: readonly string[]; readonly traits: JsonObject } {
  const named = legs.map(({ activity }, index) => {
    const declared = findActivity(activities, activity);
    if (declared === undefined) throw new Error(`there is no activity ${activity}`);
    return [legName({ number: firstNumber + index, activity }), traitsOf(declared)] as const;
  });
  return { names: named.map(([name]) => name), traits: Object.fromEntries(named) };
}

/** Writes the slip, its legs, its process and the start of its workflow (workflow outbox), all in one statement. */
export async function insertRoutingSlip(
  pool: TenantPool,
  activities: SlipActivities,
  { tenantId, processId, service, itinerary, variables, now }: NewRoutingSlip,
): Promise<void> {
  const { names, traits } = namedLegs(activities, itinerary, 1);
  const data: RoutingSlipData = { itinerary: names, ...traits };
  const { row, start } = newProcess({ definition: routingSlipProcess, tenantId, processId, data, now });
  await runStatement(pool, tenantId, {
    name: 'insert-routing-slip',
    text: INSERT_SLIP,
    values: [
      tenantId,
      processId,
      service,
      JSON.stringify(variables),
      new Date(now),
      itinerary.map(({ activity }) => activity),
      itinerary.map((leg) => JSON.stringify(leg.arguments)),
      processesParameter([row]),
      callsParameter([start]),
    ],
  });
}

const INSERT_SLIP = `
  WITH slip AS (
    INSERT INTO routing_slips (tenant_id, process_id, service, variables, created_at) VALUES ($1, $2, $3, $4, $5)
  ), leg AS (
    INSERT INTO routing_slip_legs (tenant_id, process_id, number, activity, arguments)
    SELECT $1, $2, place, activity, arguments
    FROM unnest($6::text[], $7::jsonb[]) WITH ORDINALITY AS given (activity, arguments, place)
  ), ${insertProcessesSql(8)} ${enqueueCallsSql(9)}`;
