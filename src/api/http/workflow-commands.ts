import { WithStartWorkflowOperation, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import type { Config } from '../../config/config.ts';
import { startOptions } from '../../temporal/start-options.ts';
import { temporalOutage } from '../../temporal/errors.ts';
import { isErrorCode, type ErrorCode } from './error-catalogue.ts';
import { Problem } from './problem.ts';

/** What a command needs. */
export interface CommandDeps {
  readonly temporal: Client;
  readonly config: Pick<Config, 'TASK_QUEUE' | 'WORKFLOW_TASK_TIMEOUT_MS' | 'COMMAND_TIMEOUT_MS'>;
}

/** Which workflow, and the input to start it with when it is not open. */
export interface CommandTarget {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: object;
  /** Makes a repeated command one command. */
  readonly updateId: string;
  /** What a command is told that the workflow ended under. */
  readonly endedCode: ErrorCode;
}

const PROBE_MS = 500;

/** Sends an Update, with start; the workflow's refusal becomes the problem of that code, silence a 503. */
export async function sendCommand<Answer, Args extends [] | [object]>(
  { temporal, config }: CommandDeps,
  { workflowType, workflowId, input, updateId, endedCode }: CommandTarget,
  update: UpdateDefinition<Answer, Args>,
  args: Args,
): Promise<Answer> {
  // Good for one call only, hence made here.
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
    ...startOptions(config, { workflowType, workflowId }),
    args: [input],
  });
  try {
    return await temporal.withDeadline(Date.now() + config.COMMAND_TIMEOUT_MS, () =>
      temporal.workflow.executeUpdateWithStart<() => Promise<void>, Answer, Args>(update, {
        args,
        updateId,
        startWorkflowOperation,
      }),
    );
  } catch (error) {
    throw await explain(error, { temporal, endedCode });
  }
}

/** Asks a workflow or starts one, within COMMAND_TIMEOUT_MS; silence means that Temporal or its workers are away. */
export async function callTemporal<Answer>(
  { temporal, config }: CommandDeps,
  call: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  return temporal.withDeadline(Date.now() + config.COMMAND_TIMEOUT_MS, () => call(temporal));
}

async function explain(
  error: unknown,
  { temporal, endedCode }: Pick<CommandDeps, 'temporal'> & Pick<CommandTarget, 'endedCode'>,
): Promise<unknown> {
  if (error instanceof WorkflowUpdateFailedError) return refusal(error, endedCode);
  switch (temporalOutage(error)) {
    case 'away':
      return new Problem('temporal_unavailable', { cause: error });
    // While Temporal is away gRPC waits for it until the deadline, too: a probe tells the two apart.
    case 'timeout':
      return new Problem((await isReachable(temporal)) ? 'command_timeout' : 'temporal_unavailable', { cause: error });
    default:
      return error;
  }
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
