import { executeChild } from '@temporalio/workflow';
import { processWorkflow } from '../../src/workflows/process/process.ts';
import { SAGA_TYPES } from './saga-definitions.ts';

export const tripProcess = processWorkflow(SAGA_TYPES.trip);
export const tourProcess = processWorkflow(SAGA_TYPES.tour);
export const chainProcess = processWorkflow(SAGA_TYPES.chain);
export const visitProcess = processWorkflow(SAGA_TYPES.visit);
export const permitProcess = processWorkflow(SAGA_TYPES.permit);

/** A process as a part of something larger. */
export async function parent({
  workflowType,
  workflowId,
  input,
}: {
  workflowType: string;
  workflowId: string;
  input: object;
}): Promise<unknown> {
  return executeChild(workflowType, { workflowId, args: [input] });
}
