import type { ProcessData } from '../../domain/process/definition.ts';
import type { WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';
import type { ProcessStateRow } from './process-list.ts';

/** The call that tells a process of an event that is in the rows: it wakes the process, which could find it itself. */
export function signalToProcess(
  {
    tenantId,
    processId,
    processType,
    workflowId,
  }: Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'workflowId'>,
  { event, payload }: { event: string; payload: ProcessData },
): WorkflowCall {
  return {
    tenantId,
    kind: 'signal_with_start',
    workflowType: processWorkflowType(processType),
    workflowId,
    input: { tenantId, processId },
    signal: { name: event, arg: payload },
  };
}
