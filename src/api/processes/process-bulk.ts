import { z } from 'zod';
import type { ProcessBulkInput } from '../../workflows/bulk/bulk-command.messages.ts';
import { bulkAccepted, startBulk } from '../operations/operations.ts';
import { mandatoryReason, optionalReason, skippedStep } from './process-commands.ts';
import { processFilter, toProcessFilter } from './processes.ts';
import { route, type Route } from '../http/route.ts';

const filtered = { filter: processFilter };

function bulkRoute({
  name,
  command,
  body,
  summary,
}: {
  name: string;
  command: ProcessBulkInput['command']['name'];
  summary: string;
  body: z.ZodType<{ filter: z.output<typeof processFilter>; reason?: string | undefined; step?: string }>;
}): Route {
  return route(
    {
      method: 'post',
      path: `/processes/bulk/${name}`,
      operationId: `bulk${command.charAt(0).toUpperCase()}${command.slice(1)}`,
      tag: 'Bulk operations',
      roles: ['operator', 'admin'],
      summary,
      body,
      statuses: { 202: 'The operation goes on in the background' },
      answer: bulkAccepted,
      errors: ['temporal_unavailable'],
      idempotent: true,
    },
    (call) => {
      const {
        caller: { tenantId, subject },
        body: { filter, reason, step },
      } = call;
      return startBulk(call, {
        target: 'processes',
        tenantId,
        requestedBy: subject,
        filter: toProcessFilter(filter),
        command:
          command === 'recover'
            ? { name: command }
            : {
                name: command,
                by: subject,
                ...(reason === undefined ? {} : { reason }),
                ...(step === undefined ? {} : { step }),
              },
      });
    },
  );
}

/** Commands to many processes at once; one that does not fit a process is refused by it and changes nothing. */
export const processBulkRoutes: readonly Route[] = [
  bulkRoute({
    name: 'retry-compensation',
    command: 'retryCompensation',
    body: optionalReason.extend(filtered),
    summary: 'Undoes again what could not be undone',
  }),
  bulkRoute({
    name: 'skip-compensation',
    command: 'skipCompensation',
    body: skippedStep.extend(filtered),
    summary: 'Leaves a step that could not be undone as it is',
  }),
  bulkRoute({
    name: 'retry-step',
    command: 'retryStep',
    body: optionalReason.extend(filtered),
    summary: 'Takes again the step that failed where there is no way back',
  }),
  bulkRoute({
    name: 'skip-step',
    command: 'skipStep',
    body: mandatoryReason.extend(filtered),
    summary: 'Goes on as if the step that failed where there is no way back was done',
  }),
  bulkRoute({
    name: 'abandon',
    command: 'abandon',
    body: mandatoryReason.extend(filtered),
    summary: 'Closes processes that wait for an operator',
  }),
  bulkRoute({
    name: 'cancel',
    command: 'cancel',
    body: optionalReason.extend(filtered),
    summary: 'Undoes everything and ends the processes as cancelled',
  }),
  bulkRoute({
    name: 'recover',
    command: 'recover',
    body: z.strictObject(filtered),
    summary: 'Looks which processes are stuck, and starts workflows again that are gone',
  }),
];
