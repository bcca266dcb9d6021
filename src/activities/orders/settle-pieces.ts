import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import { lockOrders } from '../../db/orders/refund-rows.ts';
import { setSettled } from '../../db/orders/settlement-rows.ts';
import { lockProducts, lockStock, moveStock } from '../../db/orders/stock.ts';
import { takeOut } from './create-shipment.ts';
import { releaseStock } from './reserve-stock.ts';
import { unstockGoods } from './restock-goods.ts';
import { ofOrder, ofRefund, settledWorks, type SettledWork } from './settled-works.ts';

/**
 * Puts what settlements are about where it belongs: released pieces are in the stock and nobody's, written-off ones
 * have left it.
 */
export async function settlePieces(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const { tenantId, settled } = await settledWorks(client, works);
  await lockOrders(client, { tenantId, orderIds: settled.map(({ settlement }) => settlement.orderId) });
  const results: StepResult<StepRefusal>[] = [];
  for (const each of settled)
    results.push(await (each.isOfRefund ? settleGoods(client, each) : settleStock(client, tenantId, each)));
  await setSettled(client, {
    tenantId,
    part: 'pieces',
    settlementIds: settled
      .filter((_, place) => results[place]?.isDone === true)
      .map(({ settlement }) => settlement.settlementId),
  });
  return results;
}

/** Of an order: pieces that are still reserved, or that came back with their shipment and are counted as shipped. */
async function settleStock(
  client: pg.ClientBase,
  tenantId: string,
  each: SettledWork,
): Promise<StepResult<StepRefusal>> {
  const { orderId, pieces, items } = each.settlement;
  const { held } = await lockStock(client, { tenantId, orderIds: [orderId] });
  const isReserved = held.get(orderId)?.status === 'reserved';
  if (isReserved && pieces === 'release') return first(await releaseStock(client, [ofOrder(each)]));
  if (isReserved) await takeOut(client, { tenantId, orderIds: [orderId] });
  else if (pieces === 'release') {
    await lockProducts(client, { tenantId, skus: items.map(({ sku }) => sku) });
    await moveStock(client, {
      tenantId,
      orderIds: [],
      status: 'shipped',
      pieces: items,
      move: ({ quantity }) => ({ onHand: quantity, shipped: -quantity }),
    });
  }
  return { isDone: true };
}

/** Of a refund that was given up: its goods are in the stock, where they stay or from which they go. */
async function settleGoods(client: pg.ClientBase, each: SettledWork): Promise<StepResult<StepRefusal>> {
  return each.settlement.pieces === 'release' ? { isDone: true } : first(await unstockGoods(client, [ofRefund(each)]));
}

function first<Result>([result]: readonly Result[]): Result {
  if (result === undefined) throw new Error('a step has no outcome');
  return result;
}
