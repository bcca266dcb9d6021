import type { Cause, ProcessState } from '../process/state.ts';
import type { DeliveryOutcome } from './order-process.ts';
import type { ProcessStatus } from '../process/statuses.ts';

/** The statuses of an order that its customer sees. */
export const ORDER_STATUSES = [
  'created',
  'validated',
  'reserved',
  'paid',
  'shipped',
  'completed',
  'lost',
  'returned',
  'cancelling',
  'cancelled',
  'refused',
  'failed',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** When an order of each status can be refunded. */
export const REFUNDABLE: Readonly<Record<OrderStatus, 'now' | 'later' | 'never'>> = {
  created: 'later',
  validated: 'later',
  reserved: 'later',
  paid: 'later',
  shipped: 'later',
  completed: 'now',
  lost: 'now',
  returned: 'now',
  cancelling: 'never',
  cancelled: 'never',
  refused: 'never',
  failed: 'never',
};

/** The part of an order's process that decides the order's status. */
export type OrderProgress = Pick<ProcessState, 'status' | 'currentStep'> & {
  readonly cause: Pick<Cause, 'class'> | null;
  /** Anything but null: somebody asked to cancel it. */
  readonly cancelled: object | null;
  /** What became of its shipment; null: it was delivered, or that is still to come. */
  readonly outcome: DeliveryOutcome | null;
};

/**
 * A condition on the process under which an order has a status; fields that are left out are not compared.
 */
export interface OrderStatusRule {
  readonly orderStatus: OrderStatus;
  readonly statuses: readonly ProcessStatus[];
  readonly step?: string;
  readonly isCancelled?: boolean;
  readonly isRefused?: boolean;
  readonly outcome?: DeliveryOutcome;
}

const OPEN = ['running', 'waiting', 'step_failed'] as const satisfies readonly ProcessStatus[];

/** For every process of an order exactly one rule fits; a test enumerates them. */
export const ORDER_STATUS_RULES: readonly OrderStatusRule[] = [
  { orderStatus: 'created', statuses: OPEN, step: 'validate_order', isCancelled: false },
  { orderStatus: 'validated', statuses: OPEN, step: 'reserve_inventory', isCancelled: false },
  { orderStatus: 'reserved', statuses: OPEN, step: 'process_payment', isCancelled: false },
  { orderStatus: 'paid', statuses: OPEN, step: 'create_shipment', isCancelled: false },
  // Also with a cancellation: one that comes after the shipment has no effect.
  { orderStatus: 'shipped', statuses: OPEN, step: 'await_delivery' },
  { orderStatus: 'completed', statuses: ['completed'], outcome: 'delivered' },
  { orderStatus: 'lost', statuses: ['completed'], outcome: 'lost' },
  { orderStatus: 'returned', statuses: ['completed'], outcome: 'returned' },
  ...['validate_order', 'reserve_inventory', 'process_payment', 'create_shipment'].map(
    (step) => ({ orderStatus: 'cancelling', statuses: OPEN, step, isCancelled: true }) as const,
  ),
  { orderStatus: 'cancelling', statuses: ['compensating', 'compensation_failed'] },
  { orderStatus: 'cancelled', statuses: ['cancelled'] },
  { orderStatus: 'refused', statuses: ['compensated'], isRefused: true },
  { orderStatus: 'failed', statuses: ['compensated'], isRefused: false },
  { orderStatus: 'failed', statuses: ['abandoned'] },
];

/** The order's status; throws when none of the rules fits, or more than one. */
export function orderStatusOf(progress: OrderProgress): OrderStatus {
  const [rule, ...others] = ORDER_STATUS_RULES.filter((each) => fits(each, progress));
  if (rule === undefined || others.length > 0)
    throw new Error(`an order's process can't be ${progress.status} at ${progress.currentStep}`);
  return rule.orderStatus;
}

/** Why an order was refused, in words for its customer; null: it was not refused, or failed for a reason of ours. */
export function orderRefusalOf(cause: Cause | null): { readonly code: string; readonly message: string } | null {
  if (cause === null || cause.class !== 'refused') return null;
  // The reason that an operator gave for a cancellation is not meant for the customer.
  return { code: cause.code, message: cause.code === 'cancelled' ? 'The order was cancelled.' : cause.message };
}

function fits(
  { statuses, step, isCancelled, isRefused, outcome }: OrderStatusRule,
  { status, currentStep, cause, cancelled, outcome: found }: OrderProgress,
): boolean {
  return (
    statuses.includes(status) &&
    (step === undefined || step === currentStep) &&
    (isCancelled === undefined || isCancelled === (cancelled !== null)) &&
    (outcome === undefined || outcome === (found ?? 'delivered')) &&
    (isRefused === undefined || isRefused === (cause?.class === 'refused'))
  );
}
