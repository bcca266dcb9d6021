import type pg from 'pg';
import { endedOrders, endedRefunds, endedSettlements, type Ended } from './orders/left-over.ts';

type Find = (
  client: pg.ClientBase,
  processes: { readonly tenantId: string; readonly processIds: readonly string[] },
) => Promise<readonly Ended[]>;

/** Who finds what processes have left over, by their type; of any other nothing is ever left. */
const FINDERS: Readonly<Record<string, Find>> = {
  order: endedOrders,
  choreographed_order: endedOrders,
  refund: endedRefunds,
  settlement: endedSettlements,
};

/** Processes of one type with what they have left over, or those that they were to settle. */
export async function findAllEnded(
  client: pg.ClientBase,
  { processType, ...processes }: { tenantId: string; processIds: readonly string[]; processType: string },
): Promise<readonly Ended[]> {
  const find = Object.hasOwn(FINDERS, processType) ? FINDERS[processType] : undefined;
  return find === undefined ? [] : find(client, processes);
}

/** The same of one; null: nothing of its kind has any. */
export async function findEnded(
  client: pg.ClientBase,
  { tenantId, processId, processType }: { tenantId: string; processId: string; processType: string },
): Promise<Ended | null> {
  const [ended] = await findAllEnded(client, { tenantId, processIds: [processId], processType });
  return ended ?? null;
}
