import { beginProcess } from '../../domain/process/decide.ts';
import type { ProcessDefinition } from '../../domain/process/definition.ts';
import { processWorkflowId, processWorkflowType, type ProcessInput } from '../../workflows/process/process.messages.ts';
import type { WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import type { NewProcess } from './process-rows.ts';

/**
 * A process that begins at `now` (milliseconds since the epoch), and the call that starts its workflow. The call
 * carries the state, so that the workflow's first task needs no read.
 */
export function newProcess<Data extends Readonly<Record<string, unknown>>>({
  definition,
  tenantId,
  processId,
  listedFor,
  data,
  now,
}: {
  definition: ProcessDefinition<Data>;
  tenantId: string;
  processId: string;
  listedFor?: string;
  data: Data;
  now: number;
}): { row: NewProcess; start: WorkflowCall } {
  const { type } = definition;
  const { state, events } = beginProcess(definition, { data, now });
  const workflowId = processWorkflowId({ type, processId });
  const input: ProcessInput = { tenantId, processId, carried: { state, revision: 0 } };
  return {
    row: { processId, type, workflowId, listedFor, state, events },
    start: { tenantId, kind: 'start', workflowType: processWorkflowType(type), workflowId, input },
  };
}
