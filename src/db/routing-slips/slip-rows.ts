import type pg from 'pg';
import type { JsonObject } from '../../domain/routing-slips/references.ts';
import type { TenantPool } from '../../postgres/pool.ts';
import { runStatement } from '../../postgres/statement.ts';
import type { NewLeg } from './check-itinerary.ts';

/** Which leg of which slip. */
export interface LegKey {
  readonly tenantId: string;
  readonly processId: string;
  readonly number: number;
}

/** What the rows say of a leg, and of the variables of its slip. */
export interface LegRow {
  readonly arguments: JsonObject;
  readonly variables: JsonObject;
  /** The arguments as they were when it was taken; null: it was not. */
  readonly taken: JsonObject | null;
  readonly kept: unknown;
  readonly isDone: boolean;
  /** The number of the slip's last leg. */
  readonly lastNumber: number;
}

/** The leg; whoever changes a slip has its process locked. */
export async function readLeg(client: pg.ClientBase, { tenantId, processId, number }: LegKey): Promise<LegRow> {
  const {
    rows: [row],
  } = await client.query<LegRow>({
    name: 'read-leg',
    text: `SELECT l.arguments, s.variables, l.taken, l.kept, l.done_at IS NOT NULL AS "isDone",
        (SELECT max(number) FROM routing_slip_legs WHERE tenant_id = $1 AND process_id = $2) AS "lastNumber"
      FROM routing_slip_legs AS l JOIN routing_slips AS s ON s.tenant_id = $1 AND s.process_id = $2
      WHERE l.tenant_id = $1 AND l.process_id = $2 AND l.number = $3`,
    values: [tenantId, processId, number],
  });
  if (row === undefined) throw new Error(`the routing slip has no leg ${number}`);
  return row;
}

/** Writes with which arguments a leg is taken, before it calls another system. */
export async function writeTaken(
  client: pg.ClientBase,
  { tenantId, processId, number }: LegKey,
  taken: JsonObject,
): Promise<void> {
  await client.query({
    name: 'write-taken',
    text: 'UPDATE routing_slip_legs SET taken = $4 WHERE tenant_id = $1 AND process_id = $2 AND number = $3',
    values: [tenantId, processId, number, JSON.stringify(taken)],
  });
}

/** Writes that a leg is done: what its undo needs, the variables after it, and the legs that it put on the slip. */
export async function writeDone(
  client: pg.ClientBase,
  { tenantId, processId, number }: LegKey,
  {
    taken,
    kept,
    variables,
    added,
    firstNumber,
  }: {
    /** Null: it was done by hand. */
    readonly taken: JsonObject | null;
    readonly kept: unknown;
    readonly variables: JsonObject;
    readonly added: readonly NewLeg[];
    readonly firstNumber: number;
  },
): Promise<void> {
  await client.query({
    name: 'write-leg-done',
    text: `
      WITH leg AS (
        UPDATE routing_slip_legs SET taken = $4, kept = $5, done_at = now()
        WHERE tenant_id = $1 AND process_id = $2 AND number = $3
      ), added AS (
        INSERT INTO routing_slip_legs (tenant_id, process_id, number, activity, arguments)
        SELECT $1, $2, $9::int + place - 1, activity, arguments
        FROM unnest($7::text[], $8::jsonb[]) WITH ORDINALITY AS given (activity, arguments, place)
      )
      UPDATE routing_slips SET variables = $6 WHERE tenant_id = $1 AND process_id = $2`,
    values: [
      tenantId,
      processId,
      number,
      taken === null ? null : JSON.stringify(taken),
      kept === undefined ? null : JSON.stringify(kept),
      JSON.stringify(variables),
      added.map(({ activity }) => activity),
      added.map((leg) => JSON.stringify(leg.arguments)),
      firstNumber,
    ],
  });
}

/** A slip with what its legs are asked for, and who sent it. */
export interface RoutingSlipRow {
  readonly service: string | null;
  readonly variables: JsonObject;
  readonly legs: readonly { readonly number: number; readonly activity: string; readonly arguments: JsonObject }[];
}

/** The slip; undefined: there is none, or what it was asked for is past its retention. */
export async function findRoutingSlip(
  pool: TenantPool,
  { tenantId, processId }: Omit<LegKey, 'number'>,
): Promise<RoutingSlipRow | undefined> {
  const [row] = await runStatement<RoutingSlipRow>(pool, tenantId, {
    name: 'find-routing-slip',
    text: `SELECT s.service, s.variables, (
        SELECT coalesce(json_agg(json_build_object('number', number, 'activity', activity, 'arguments', arguments)
          ORDER BY number), '[]')
        FROM routing_slip_legs WHERE tenant_id = $1 AND process_id = $2) AS legs
      FROM routing_slips AS s WHERE s.tenant_id = $1 AND s.process_id = $2`,
    values: [tenantId, processId],
  });
  return row;
}
