import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import { findEnded } from '../../db/left-overs.ts';
import { lockOrders } from '../../db/orders/refund-rows.ts';
import { settledWorks } from './settled-works.ts';

/** Looks whether what settlements are to settle is still left over. */
export async function checkLeftOver(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const { tenantId, settled } = await settledWorks(client, works);
  await lockOrders(client, { tenantId, orderIds: settled.map(({ settlement }) => settlement.orderId) });
  const results: StepResult<StepRefusal>[] = [];
  for (const { settlement, isOfRefund } of settled) {
    const { settledId: processId, amountMinor, pieces } = settlement;
    const ended = await findEnded(client, { tenantId, processId, processType: isOfRefund ? 'refund' : 'order' });
    const left = ended?.leftOver;
    const isLeft =
      (amountMinor ?? 0) <= (left?.payment?.amountMinor ?? 0) && (pieces === null || left?.pieces !== undefined);
    results.push(
      isLeft
        ? { isDone: true }
        : { isDone: false, code: 'nothing_left_over', message: 'What was to be settled is not left over any more.' },
    );
  }
  return results;
}
