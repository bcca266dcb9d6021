import { orderProcess } from '../src/domain/orders/order-process.ts';
import { isWaiting, type ProcessDefinition } from '../src/domain/process/definition.ts';

const { sharesTransaction: _, ...apart } = orderProcess;

/** The order's process as it might be: what is measured is what each difference gives. */
export const ORDER_VARIANTS = {
  regularOrder: {
    ...apart,
    type: 'regularOrder',
    steps: Object.fromEntries(
      Object.entries(apart.steps).map(([name, step]) => [name, isWaiting(step) ? step : { ...step, isRemote: true }]),
    ),
  },
  localOrder: { ...apart, type: 'localOrder' },
  joinedOrder: { ...orderProcess, type: 'joinedOrder' },
} as const satisfies Record<string, ProcessDefinition>;
