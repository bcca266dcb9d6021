import { assertNever } from '../shared/assert-never.ts';
import type { Cause, ProcessState } from '../process/state.ts';

/** The statuses of a refund that answers have. */
export const REFUND_STATUSES = [
  'requested',
  'awaiting_goods',
  'paying',
  'paid',
  'cancelling',
  'cancelled',
  'refused',
  'failed',
] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** The part of a refund's process that decides the refund's status. */
export type RefundProgress = Pick<ProcessState, 'status' | 'currentStep'> & {
  readonly cause: Pick<Cause, 'class'> | null;
};

/** The refund's status. */
export function refundStatusOf({ status, currentStep, cause }: RefundProgress): RefundStatus {
  switch (status) {
    case 'running':
    case 'waiting':
    case 'step_failed':
      if (currentStep === 'await_goods') return 'awaiting_goods';
      return currentStep === 'restock_goods' || currentStep === 'pay_back' ? 'paying' : 'requested';
    case 'compensating':
    case 'compensation_failed':
      return 'cancelling';
    case 'completed':
      return 'paid';
    case 'cancelled':
      return 'cancelled';
    case 'compensated':
      return cause?.class === 'refused' ? 'refused' : 'failed';
    case 'abandoned':
      return 'failed';
    default:
      return assertNever(status);
  }
}
