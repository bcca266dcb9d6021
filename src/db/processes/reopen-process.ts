import type { ProcessProblem, ProcessRefusal } from '../../domain/process/codes.ts';
import { applyAll, decideProcess } from '../../domain/process/decide.ts';
import type { ProcessDefinition } from '../../domain/process/definition.ts';
import { REOPENED } from '../../domain/process/command-names.ts';
import { processType } from '../../domain/process/registry.ts';
import type { Refusal } from '../../domain/shared/decision.ts';
import { settleReplayed } from '../../messaging/dead-letters/dead-letters.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import type { TenantPool } from '../../postgres/pool.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';
import { findSettled } from '../settled.ts';
import { lockProcesses, writeProcesses } from './process-rows.ts';

/** The process to be reopened, its dead letter, who reopens it and why. */
export interface Reopening {
  readonly tenantId: string;
  readonly processId: string;
  readonly letterId: string;
  readonly by: string;
  readonly reason: string | null;
}

/** In the row, what no run of a workflow has written. */
const WRITER = 'reopened';

/**
 * Parks an abandoned process again where it was abandoned, settles its dead letter and promises a run that carries it,
 * all in one transaction. Its signal also reaches an execution that is just about to close. The lock on the process is
 * taken first, as by its steps, then that on its order, by which its settlements are told from it. Nothing of it is
 * said on the bus, so that its stream is not locked.
 */
export function reopenProcess(
  pool: TenantPool,
  { tenantId, processId, letterId, by, reason }: Reopening,
  definitionOf: (type: string) => ProcessDefinition = processType,
): Promise<'settled' | 'not_parked' | Refusal<ProcessRefusal | ProcessProblem>> {
  return rawTransaction(pool, tenantId, async (client) => {
    const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
    if (row === undefined) return { code: 'process_not_found', detail: 'The process is gone.' };
    const now = Math.max(Date.now(), row.state.updatedAt);
    const decision = decideProcess(definitionOf(row.type), row.state, { type: 'reopen', by, reason }, now);
    if (!decision.accepted) return decision.refusal;
    const settled = await findSettled(client, { tenantId, processId, processType: row.type });
    if (settled !== null) return settled;
    if (!(await settleReplayed(client, { tenantId, id: letterId }, { by, reason }))) return 'not_parked';
    const { events } = decision;
    const state = applyAll(row.state, events);
    await writeProcesses(client, {
      tenantId,
      writes: [{ processId, type: row.type, state, revision: row.revision + 1, writer: WRITER, events }],
    });
    await enqueueCalls(client, [
      {
        tenantId,
        kind: 'signal_with_start',
        workflowType: processWorkflowType(row.type),
        workflowId: row.workflowId,
        input: { tenantId, processId },
        signal: { name: REOPENED },
      },
    ]);
    return 'settled';
  });
}
