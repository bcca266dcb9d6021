import type pg from 'pg';
import type { ProcessProblem } from '../domain/process/codes.ts';
import type { Refusal } from '../domain/shared/decision.ts';
import { lockOrders } from './orders/refund-rows.ts';
import { isToSettle, settlementOf } from './orders/settled-by.ts';
import { findEnded } from './left-overs.ts';

/** A process that is over. */
interface EndedProcess {
  readonly tenantId: string;
  readonly processId: string;
  readonly processType: string;
}

/**
 * Why a process can't be reopened: what it has left over was settled, or is being; of a settlement, what it was to
 * settle is not left over any more. Null: it can. Locks its order, as whoever settles does first.
 */
export async function findSettled(
  client: pg.ClientBase,
  { tenantId, processId, processType }: EndedProcess,
): Promise<Refusal<ProcessProblem> | null> {
  const key = { tenantId, processId, processType };
  const ended = await findEnded(client, key);
  if (ended === null) return null;
  const { orderId } = ended;
  await lockOrders(client, { tenantId, orderIds: [orderId] });
  const settlement = await settlementOf(client, { tenantId, orderId, processId });
  if (settlement === 'under_way')
    return { code: 'settlement_under_way', detail: 'Something that is left over of its order is being settled.' };
  if (settlement === 'settled')
    return { code: 'process_settled', detail: 'What it has left over was settled, or may have been.' };
  if (processType !== 'settlement') return null;
  const { leftOver } = (await findEnded(client, key)) ?? ended;
  return (await isToSettle(client, { tenantId, processId, leftOver }))
    ? null
    : { code: 'process_settled', detail: 'What it was to settle is not left over any more.' };
}
