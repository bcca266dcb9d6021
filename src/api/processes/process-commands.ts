import pRetry from 'p-retry';
import { z } from 'zod';
import { cancelByMessage } from '../../db/messages.ts';
import { findProcess, type ProcessKey, type ProcessStateRow } from '../../db/processes/process-list.ts';
import type { ProcessCommandName } from '../../domain/process/command-names.ts';
import { isByMessages } from '../../domain/process/registry.ts';
import { isClosed, isParked } from '../../domain/process/statuses.ts';
import { PROCESS_CLASSES } from '../../domain/process/watch.ts';
import { recoverProcess } from '../../maintenance/watchdog/recover-process.ts';
import { processUpdate, processWorkflowType, type CommandPayload } from '../../workflows/process/process.messages.ts';
import { sendCommand } from '../http/workflow-commands.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { stepName, processSchema } from './process.schemas.ts';
import { readProcess } from './read-process.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, trimmedText } from '../http/values.ts';

const OPERATORS = ['operator', 'admin'] as const;
const params = z.object({ id });

/** Why an operator decides in place of the process. */
export const commandReason = trimmedText(500).meta({
  description: 'Kept with the process, until the user whose order it is about is deleted; names nobody',
  example: 'Paid back by hand',
});
/** Body of a command that needs no reason, but takes one. */
export const optionalReason = z.strictObject({ reason: commandReason.optional() });
const noBody = optionalReason.default({});
/** Body of a command that sets the process's own rules aside. */
export const mandatoryReason = z.strictObject({ reason: commandReason });
/** Body of `skip-compensation`. */
export const skippedStep = z.strictObject({
  step: stepName.meta({ description: 'The step whose undo has failed' }),
  reason: commandReason,
});

const ANY_COMMAND = [
  'process_not_found',
  'process_closed',
  'command_timeout',
  'workflow_busy',
  'temporal_unavailable',
  'invalid_payload',
  'process_by_messages',
] as const satisfies ErrorCode[];

/**
 * The process, if its row is still open. Update-with-start would start the workflow of a closed one again.
 */
export async function requireOpenProcess(
  { db }: Pick<Call['deps'], 'db'>,
  key: ProcessKey,
  missing: ErrorCode = 'process_not_found',
): Promise<ProcessStateRow> {
  const row = await db.inTenant(key.tenantId, (tx) => findProcess(tx, key));
  if (row === null) throw new Problem(missing);
  if (isClosed(row.status)) throw new Problem('process_closed', { detail: `The process is ${row.status}.` });
  return row;
}

/** What an execution answers that has not heard yet that its process is parked. */
const UNHEARD: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['process_not_parked', 'process_closed']);

/**
 * Sends a command to the execution that carries the process; again, where that does not know yet that the process is
 * parked, as the row says: a step writes the row before its execution hears of it, and so does who reopens it while the
 * execution that abandoned it closes.
 */
export async function commandProcess(
  { deps, effectId: updateId }: Pick<Call, 'deps' | 'effectId'>,
  row: ProcessStateRow,
  { command, payload }: { command: ProcessCommandName; payload: CommandPayload },
): Promise<void> {
  const { tenantId, processId, processType, workflowId, status } = row;
  if (isByMessages(processType)) {
    if (command !== 'cancel') throw new Problem('process_by_messages');
    const refused = await cancelByMessage(deps.db.pool, row, { ...payload, now: Date.now() });
    if (refused !== null) throw new Problem(refused.code, { detail: refused.detail });
    return;
  }
  const target = {
    workflowType: processWorkflowType(processType),
    workflowId,
    input: { tenantId, processId },
    updateId,
    endedCode: 'process_closed',
  } as const;
  await pRetry(() => sendCommand(deps, target, processUpdate(command), [payload]), {
    retries: 4,
    minTimeout: 50,
    shouldRetry: ({ error }) => isParked(status) && error instanceof Problem && UNHEARD.has(error.code),
  });
}

function commandRoute<Body extends z.ZodType<{ reason?: string | undefined; step?: string }>>({
  name,
  command,
  summary,
  body,
  errors,
}: {
  name: string;
  command: ProcessCommandName;
  summary: string;
  body: Body;
  errors: readonly ErrorCode[];
}): Route {
  return route(
    {
      method: 'post',
      path: `/processes/:id/${name}`,
      operationId: `${command}OfProcess`,
      tag: 'Processes',
      roles: OPERATORS,
      summary,
      params,
      body,
      statuses: { 200: 'The process as it is now' },
      answer: processSchema,
      errors: [...ANY_COMMAND, ...errors],
      idempotent: true,
    },
    async (call) => {
      const {
        deps,
        caller: { tenantId, subject: by },
      } = call;
      const key = { tenantId, processId: call.params.id };
      const { reason, step } = call.body;
      const payload = { by, ...(reason === undefined ? {} : { reason }), ...(step === undefined ? {} : { step }) };
      await commandProcess(call, await requireOpenProcess(deps, key), { command, payload });
      return { status: 200, body: await readProcess(deps.db, key) };
    },
  );
}

const recover = route(
  {
    method: 'post',
    path: '/processes/:id/recover',
    operationId: 'recoverProcess',
    tag: 'Processes',
    roles: OPERATORS,
    summary:
      'Looks whether the process is stuck, and starts its workflow again when that is gone; of one by messages ' +
      'the last unanswered message is sent again',
    params,
    statuses: { 200: 'What was found and done' },
    errors: ['process_not_found', 'temporal_unavailable'],
    idempotent: true,
    answer: z.strictObject({
      processId: id,
      classed: z.enum([...PROCESS_CLASSES, 'unanswered']).meta({ description: 'What it was found to be' }),
      action: z.enum(['none', 'restarted', 'told', 'alerted', 'asked_again']),
      detail: z.string(),
    }),
  },
  async ({ deps: { db, temporal, config }, caller: { tenantId }, params: { id: processId } }) => {
    const { classed, action, detail } = await recoverProcess({ db, client: temporal, config }, { tenantId, processId });
    if (classed === 'not_found') throw new Problem('process_not_found');
    return { status: 200, body: { processId, classed, action, detail } };
  },
);

/** What operators decide about a process. */
export const processCommandRoutes: readonly Route[] = [
  commandRoute({
    name: 'retry-compensation',
    command: 'retryCompensation',
    body: noBody,
    errors: ['process_not_parked'],
    summary: 'Undoes again what could not be undone',
  }),
  commandRoute({
    name: 'skip-compensation',
    command: 'skipCompensation',
    body: skippedStep,
    errors: ['process_not_parked', 'unknown_step'],
    summary: 'Leaves a step that could not be undone as it is; the process ends as abandoned',
  }),
  commandRoute({
    name: 'retry-step',
    command: 'retryStep',
    body: noBody,
    errors: ['process_not_parked'],
    summary: 'Takes again the step that failed where there is no way back',
  }),
  commandRoute({
    name: 'skip-step',
    command: 'skipStep',
    body: mandatoryReason,
    errors: ['process_not_parked', 'step_not_skippable'],
    summary:
      'Goes on with the step that failed where there is no way back done by hand; what it would have left is written',
  }),
  commandRoute({
    name: 'abandon',
    command: 'abandon',
    body: mandatoryReason,
    errors: ['process_not_parked'],
    summary: 'Closes a process that waits for an operator, with something left to be done or undone',
  }),
  commandRoute({
    name: 'cancel',
    command: 'cancel',
    body: noBody,
    errors: ['past_point_of_no_return', 'process_turned_back'],
    summary: 'Undoes everything and ends the process as cancelled',
  }),
  recover,
];
