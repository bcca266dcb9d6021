import { processType } from '../../domain/process/registry.ts';
import { processWorkflow } from '../process/process.ts';

export const routingSlipProcess = processWorkflow(processType('routing_slip'));
