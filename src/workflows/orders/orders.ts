import { processType } from '../../domain/process/registry.ts';
import { processWorkflow } from '../process/process.ts';

// One line for each process type, under the name that `processWorkflowType` makes of it.
export const orderProcess = processWorkflow(processType('order'));
export const refundProcess = processWorkflow(processType('refund'));
export const settlementProcess = processWorkflow(processType('settlement'));
