import type { ProcessDefinition, Provider } from '../process/definition.ts';
import type { ProviderFailures } from './port-codes.ts';

/** What a refund waits to be told: the goods are back. */
export const GOODS_RETURNED = 'goodsReturned';

/** The data of a refund's process; the sum is in the refund's row. */
export type RefundData = {
  /** How long the goods may take to come back, in milliseconds; 0: they need not come back. */
  readonly returnLimitMs: number;
  /** Who took the payment of the order. */
  readonly payment?: Provider;
  readonly transferKey?: string;
};

/** The process of a refund: money back for a completed order, once the goods are back. Its pivot is the payment. */
export const refundProcess: ProcessDefinition<RefundData> = {
  type: 'refund',
  summary: 'Refund of an order: accepted, goods returned, paid back',
  steps: {
    accept_refund: { execute: 'acceptRefund', compensate: 'releaseRefund', providedBy: 'payment' },
    await_goods: {
      awaits: GOODS_RETURNED,
      foundBy: 'findReturnedGoods',
      limitMs: ({ returnLimitMs }) => returnLimitMs,
      late: 'fail',
    },
    restock_goods: { execute: 'restockGoods', compensate: 'unstockGoods' },
    pay_back: {
      execute: 'payBack',
      skip: 'paidByHand',
      providedBy: 'payment',
      isPivot: true,
      failures: { payment_timed_out: 'unknown' } satisfies ProviderFailures,
    },
  },
  next: (completed, { returnLimitMs }) =>
    completed === 'accept_refund' && returnLimitMs === 0 ? 'pay_back' : undefined,
};
