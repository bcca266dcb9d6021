import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { countOpenProcesses, nextOpenProcesses } from '../../db/processes/bulk-processes.ts';
import type { ProcessStateRow } from '../../db/processes/process-list.ts';
import { cancelByMessage } from '../../db/messages.ts';
import { isByMessages } from '../../domain/process/registry.ts';
import { recoverProcess } from '../../maintenance/watchdog/recover-process.ts';
import type { ProcessBulkInput } from '../../workflows/bulk/bulk-command.messages.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';
import type { BulkActivities } from '../../workflows/bulk/bulk-command.activities.ts';

type Target = Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'workflowId'>;

/** The activities of bulk operations on processes. */
export function createProcessBulkActivities({
  db,
  client,
  config,
}: {
  db: Db;
  client: Client;
  config: Config;
}): Pick<BulkActivities, 'countProcesses' | 'signalProcesses'> {
  return {
    countProcesses: (selection) => db.inTenant(selection.tenantId, (tx) => countOpenProcesses(tx, selection)),

    signalProcesses: async ({ tenantId, filter, command, afterProcessId, limit }) => {
      const { processes, end } = await db.inTenant(tenantId, async (tx) => {
        const page = await nextOpenProcesses(tx, { tenantId, filter, after: afterProcessId, limit });
        if (command.name !== 'recover')
          await enqueueCalls(
            tx,
            page.processes
              .filter(({ processType }) => !isByMessages(processType))
              .map((target) => callOf(command, target)),
          );
        return page;
      });
      if (command.name === 'recover')
        await Promise.all(processes.map((target) => recoverProcess({ db, client, config }, target)));
      // Those that services carry know no other command; one that comes too late for them changes nothing.
      if (command.name === 'cancel')
        for (const target of processes.filter(({ processType }) => isByMessages(processType)))
          await cancelByMessage(db.pool, target, { ...command, now: Date.now() });
      return { signalled: processes.length, lastProcessId: end };
    },
  };
}

function callOf(
  { name, ...arg }: Exclude<ProcessBulkInput['command'], { name: 'recover' }>,
  { tenantId, processId, processType, workflowId }: Target,
): WorkflowCall {
  return {
    tenantId,
    kind: 'signal_with_start',
    workflowType: processWorkflowType(processType),
    workflowId,
    input: { tenantId, processId },
    signal: { name, arg },
  };
}
