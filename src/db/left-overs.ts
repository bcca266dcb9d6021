import type pg from 'pg';
import { endedOrders, endedRefunds, endedSettlements, type Ended } from './orders/left-over.ts';

type Find = (
  client: pg.ClientBase,
  processes: { readonly tenantId: string; readonly processIds: readonly string[] },
) => Promise<readonly Ended[]>;

/** Who finds what processes have left over, by their type; of any other nothing is ever left. */
const FINDERS: Readonly<Record<string, Find>> = {
  order: endedOrders,
  refund: endedRefunds,
  settlement: endedSettlements,
};

/** The process with what it has left over, or that which it was to settle; null: nothing of its kind has any. */
export async function findEnded(
  client: pg.ClientBase,
  { tenantId, processId, processType }: { tenantId: string; processId: string; processType: string },
): Promise<Ended | null> {
  const find = Object.hasOwn(FINDERS, processType) ? FINDERS[processType] : undefined;
  if (find === undefined) return null;
  const [ended] = await find(client, { tenantId, processIds: [processId] });
  return ended ?? null;
}
