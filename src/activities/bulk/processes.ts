import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { whereOpenProcesses, type ProcessStateRow } from '../../db/processes/process-list.ts';
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
    countProcesses: ({ tenantId, filter }) =>
      db.inTenant(tenantId, (tx) => tx.processState.count({ where: whereOpenProcesses(tenantId, filter) })),

    signalProcesses: async ({ tenantId, filter, command, afterProcessId, limit }) => {
      const targets = await db.inTenant(tenantId, async (tx) => {
        const found = await tx.processState.findMany({
          where: {
            AND: [
              whereOpenProcesses(tenantId, filter),
              afterProcessId === null ? {} : { processId: { gt: afterProcessId } },
            ],
          },
          orderBy: { processId: 'asc' },
          take: limit,
          select: { tenantId: true, processId: true, processType: true, workflowId: true },
        });
        if (command.name !== 'recover')
          await enqueueCalls(
            tx,
            found.map((target) => callOf(command, target)),
          );
        return found;
      });
      if (command.name === 'recover')
        await Promise.all(targets.map((target) => recoverProcess({ db, client, config }, target)));
      return { signalled: targets.length, lastProcessId: targets.at(-1)?.processId ?? null };
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
