import { processWorkflow } from '../src/workflows/process/process.ts';
import { ORDER_VARIANTS } from './order-variants.ts';

export { bareLocal } from './bare-workflow.ts';
export const regularOrderProcess = processWorkflow(ORDER_VARIANTS.regularOrder);
export const localOrderProcess = processWorkflow(ORDER_VARIANTS.localOrder);
export const joinedOrderProcess = processWorkflow(ORDER_VARIANTS.joinedOrder);
