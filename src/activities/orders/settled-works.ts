import type pg from 'pg';
import type { StepWork } from '../../domain/process/step-work.ts';
import { readSettlements, type SettlementRow } from '../../db/orders/settlement-rows.ts';

/** The work of a settlement's step, with the settlement. */
export interface SettledWork {
  readonly work: StepWork;
  readonly settlement: SettlementRow;
  /** Whether it is about a refund of the order, and not the order itself. */
  readonly isOfRefund: boolean;
}

/** The settlements whose processes these are, in the order of the list. */
export async function settledWorks(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<{ readonly tenantId: string; readonly settled: readonly SettledWork[] }> {
  const [first] = works;
  if (first === undefined) throw new Error('a step is taken for nobody');
  const { tenantId } = first;
  const settlements = await readSettlements(client, { tenantId, settlementIds: works.map((work) => work.processId) });
  const settled = works.flatMap((work, place): SettledWork[] => {
    const settlement = settlements[place];
    return settlement === undefined
      ? []
      : [{ work, settlement, isOfRefund: settlement.settledId !== settlement.orderId }];
  });
  return { tenantId, settled };
}

/** The same work as a step of the order's own would have it. */
export function ofOrder({ work, settlement }: SettledWork): StepWork {
  return { ...work, processId: settlement.orderId };
}

/** The same work as a step of the settled refund's own would have it; what that tried before may have taken effect. */
export function ofRefund({ work, settlement }: SettledWork): StepWork {
  return { ...work, processId: settlement.settledId, attempts: work.attempts + 1 };
}
