import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import pRetry from 'p-retry';
import type { Config } from '../../config/config.ts';
import { startOptions } from '../../temporal/start-options.ts';
import { isTemporalFull, temporalOutage } from '../../temporal/errors.ts';
import { isErrorCode, type ErrorCode } from './error-catalogue.ts';
import { Problem } from './problem.ts';
import type { Turns } from './turns.ts';

/** What a call of Temporal needs. */
export interface CallDeps {
  readonly temporal: Client;
  readonly config: Pick<Config, 'TASK_QUEUE' | 'WORKFLOW_TASK_TIMEOUT_MS' | 'COMMAND_TIMEOUT_MS'>;
}

/** What a command needs. */
export interface CommandDeps extends CallDeps {
  /** Keys are ids of workflows. */
  readonly commandTurns: Turns;
}

/** Which workflow, and the input to start it with when it is not open. */
export interface CommandTarget {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: Readonly<Record<string, string>> & { readonly tenantId: string };
  /** Id of the Update: repeated with the same id, a command is carried out once. */
  readonly updateId: string;
  /** Code of the problem when the workflow ends before it has answered. */
  readonly endedCode: ErrorCode;
}

/**
 * Commands of one process to one workflow at a time. Temporal takes ten Updates of a workflow and turns away the next;
 * the rest is for other processes, and for operators.
 */
export const COMMANDS_AT_ONCE = 8;

const PROBE_MS = 2_000;
/** Pauses between two attempts of a command that is turned away. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** Share of COMMAND_TIMEOUT_MS in which a command waits its turn and is sent again; the rest is for its answer. */
const TURN_SHARE = 0.7;

/**
 * Sends an Update with start. A refusal becomes the problem of its code, no answer in time a 503. Commands to one
 * workflow wait their turn here, and what Temporal turns away all the same, since other processes send too, is sent
 * again.
 */
export async function sendCommand<Answer, Args extends [] | [object]>(
  { temporal, config, commandTurns }: CommandDeps,
  { workflowType, workflowId, input, updateId, endedCode }: CommandTarget,
  update: UpdateDefinition<Answer, Args>,
  args: Args,
): Promise<Answer> {
  const send = () =>
    temporal.workflow.executeUpdateWithStart<() => Promise<void>, Answer, Args>(update, {
      args,
      updateId,
      // It may be used once, so each call makes its own.
      startWorkflowOperation: new WithStartWorkflowOperation(workflowType, {
        ...startOptions(config, { tenantId: input.tenantId, workflowType, workflowId }),
        args: [input],
      }),
    });
  const receivedAt = performance.now();
  try {
    return await commandTurns.run(workflowId, () => {
      const waitedMs = performance.now() - receivedAt;
      const turnMs = config.COMMAND_TIMEOUT_MS * TURN_SHARE - waitedMs;
      if (turnMs <= 0) throw new Problem('workflow_busy');
      return temporal.withDeadline(Date.now() + config.COMMAND_TIMEOUT_MS - waitedMs, () =>
        pRetry(send, {
          retries: Infinity,
          minTimeout: FIRST_PAUSE_MS,
          maxTimeout: LONGEST_PAUSE_MS,
          randomize: true,
          maxRetryTime: turnMs,
          shouldRetry: ({ error }) => isTurnedAway(error),
        }),
      );
    });
  } catch (error) {
    throw await explain(error, { temporal, endedCode });
  }
}

/** Calls Temporal within COMMAND_TIMEOUT_MS; throws 503 when Temporal, or the worker that should answer, is away. */
export async function callTemporal<Answer>(
  { temporal, config }: CallDeps,
  call: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  return temporal.withDeadline(Date.now() + config.COMMAND_TIMEOUT_MS, () => call(temporal));
}

async function explain(
  error: unknown,
  { temporal, endedCode }: Pick<CommandDeps, 'temporal'> & Pick<CommandTarget, 'endedCode'>,
): Promise<unknown> {
  if (isTurnedAway(error)) return new Problem('workflow_busy', { cause: error });
  if (error instanceof WorkflowUpdateFailedError) return refusal(error, endedCode);
  switch (temporalOutage(error)) {
    case 'away':
      return new Problem('temporal_unavailable', { cause: error });
    // gRPC waits until the deadline when Temporal is away, as when no worker answers: a probe of Temporal tells the two
    // apart.
    case 'timeout':
      return new Problem((await isReachable(temporal)) ? 'command_timeout' : 'temporal_unavailable', { cause: error });
    default:
      return error;
  }
}

/**
 * Whether Temporal did not take the command, for want of room or because its workflow closed at that moment: it did not
 * run, and may be sent again under the same id.
 */
function isTurnedAway(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || isTemporalFull(error)) return true;
  if (!(error instanceof WorkflowUpdateFailedError)) return false;
  return error.cause instanceof ApplicationFailure && error.cause.type === 'UnprocessedUpdate';
}

function refusal(error: WorkflowUpdateFailedError, endedCode: ErrorCode): Problem {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return new Problem('internal_error', { cause: error });
  if (cause.type === 'AcceptedUpdateCompletedWorkflow') return new Problem(endedCode);
  return isErrorCode(cause.type)
    ? new Problem(cause.type, { detail: cause.message })
    : new Problem('internal_error', { cause });
}

async function isReachable(temporal: Client): Promise<boolean> {
  return pingTemporal(temporal, PROBE_MS).then(
    () => true,
    () => false,
  );
}

/** Resolves when Temporal's frontend answers within `timeoutMs`. */
export async function pingTemporal(temporal: Client, timeoutMs: number): Promise<void> {
  await temporal.withDeadline(Date.now() + timeoutMs, () => temporal.workflowService.getSystemInfo({}));
}
