import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import { readRefunds, setReturnedGoods, type RefundRow } from '../../db/orders/refund-rows.ts';
import { lockProducts, moveStock, type Move } from '../../db/orders/stock.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';

/** Puts the goods of refunds back into the stock. */
export async function restockGoods(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  return moveGoods(
    client,
    works,
    { goods: 'restocked', move: ({ quantity }) => ({ onHand: quantity, shipped: -quantity }) },
    ({ goods }) =>
      goods === 'unstocked'
        ? { isDone: false, code: 'refund_undone', message: 'The refund was undone before its goods came back.' }
        : { isDone: true },
  );
}

/**
 * Takes the goods of refunds out of the stock again, unless they are reserved already; what was never restocked can't
 * be any more.
 */
export async function unstockGoods(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const free = new Map<string, number>();
  return moveGoods(
    client,
    works,
    { goods: 'unstocked', free, move: ({ quantity }) => ({ onHand: -quantity, shipped: quantity }) },
    ({ goods, items }) => {
      const taken = goods === 'restocked' ? items : [];
      const missing = taken.find(({ sku, quantity }) => (free.get(sku) ?? 0) < quantity);
      if (missing !== undefined)
        return {
          isDone: false,
          code: 'goods_reserved',
          message: `The pieces of ${missing.sku} that came back are reserved already.`,
        };
      for (const { sku, quantity } of taken) free.set(sku, (free.get(sku) ?? 0) - quantity);
      return { isDone: true };
    },
  );
}

/**
 * Moves the goods of those refunds that `decide` lets, once each; `free` is filled with what is free of each product.
 */
async function moveGoods(
  client: pg.ClientBase,
  works: readonly StepWork[],
  { goods, move, free }: { goods: Exclude<RefundRow['goods'], 'outstanding'>; move: Move; free?: Map<string, number> },
  decide: (refund: RefundRow) => StepResult<StepRefusal>,
): Promise<readonly StepResult<StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId } = first;
  const refunds = await readRefunds(client, { tenantId, refundIds: works.map(({ processId }) => processId) });
  const available = await lockProducts(client, {
    tenantId,
    skus: refunds.flatMap(({ items }) => items.map(({ sku }) => sku)),
  });
  for (const [sku, pieces] of available) free?.set(sku, pieces);
  const decided = refunds.map((refund) => ({ refund, result: decide(refund) }));
  const moved = decided
    .filter(({ refund, result }) => result.isDone && refund.goods !== goods)
    .map(({ refund }) => refund);
  // What was never restocked is marked only: its pieces are still out.
  const pieces = moved
    .filter((refund) => goods === 'restocked' || refund.goods === 'restocked')
    .flatMap(({ items }) => items);
  await moveStock(client, { tenantId, orderIds: [], status: 'shipped', pieces, move });
  await setReturnedGoods(client, { tenantId, goods, refundIds: moved.map(({ refundId }) => refundId) });
  return decided.map(({ result }) => result);
}
