import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import { lockStock, moveStock, type GivenLine, type Held } from '../../db/orders/stock.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';

/** Reserves the stock of each order in whole or not at all, in the order of the list; `lines`: what they want. */
export async function reserveStock(
  client: pg.ClientBase,
  works: readonly StepWork[],
  lines?: readonly GivenLine[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const { held, available } = await lockStock(client, {
    tenantId,
    orderIds: works.map(({ processId }) => processId),
    lines,
  });
  const granted: string[] = [];
  const results = works.map(({ processId }): StepResult<StepRefusal> => {
    const order = heldBy(held, processId);
    if (order.status === 'released')
      return { isDone: false, code: 'order_undone', message: 'The order was undone before its stock was reserved.' };
    if (order.status !== null) return { isDone: true };
    const missing = order.pieces.find(({ sku, quantity }) => (available.get(sku) ?? 0) < quantity);
    if (missing !== undefined)
      return { isDone: false, code: 'out_of_stock', message: `There are not enough pieces of ${missing.sku}.` };
    for (const { sku, quantity } of order.pieces) available.set(sku, (available.get(sku) ?? 0) - quantity);
    granted.push(processId);
    return { isDone: true };
  });
  await moveStock(client, {
    tenantId,
    orderIds: granted,
    status: 'reserved',
    pieces: granted.flatMap((orderId) => heldBy(held, orderId).pieces),
    move: ({ quantity }) => ({ reserved: quantity }),
  });
  return results;
}

/** Gives the stock of orders back; what was never reserved can't be any more. */
export async function releaseStock(
  client: pg.ClientBase,
  works: readonly StepWork[],
  lines?: readonly GivenLine[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const { held } = await lockStock(client, { tenantId, orderIds: works.map(({ processId }) => processId), lines });
  const orders = works.map(({ processId }) => ({ orderId: processId, ...heldBy(held, processId) }));
  await moveStock(client, {
    tenantId,
    status: 'released',
    orderIds: orders.filter(({ status }) => status === null || status === 'reserved').map(({ orderId }) => orderId),
    pieces: orders.filter(({ status }) => status === 'reserved').flatMap(({ pieces }) => pieces),
    move: ({ quantity }) => ({ reserved: -quantity }),
  });
  return orders.map(({ status }) =>
    status === 'shipped'
      ? { isDone: false, code: 'already_shipped', message: 'The order has left the warehouse.' }
      : { isDone: true },
  );
}

function heldBy(held: ReadonlyMap<string, Held>, orderId: string): Held {
  const order = held.get(orderId);
  if (order === undefined) throw new Error('an order has no line');
  return order;
}
