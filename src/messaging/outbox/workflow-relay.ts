import { SpanKind } from '@opentelemetry/api';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { SystemDb } from '../../postgres/client.ts';
import { parkDeadLetter } from '../dead-letters/dead-letters.ts';
import {
  claimCalls,
  postponeCalls,
  removeCalls,
  WORKFLOW_OUTBOX_CHANNEL,
  type FailedCall,
  type ClaimedCall,
  WORKFLOW_RELAY,
} from './workflow-outbox.ts';
import { createPollLoop, type PollLoop } from '../../postgres/poll-loop.ts';
import { createOutageLog } from '../../telemetry/outage-log.ts';
import { inSpan } from '../../telemetry/trace-context.ts';
import { grpcCodeOf } from '../../temporal/errors.ts';
import { startOptions } from '../../temporal/start-options.ts';
import type { MessagingCause } from '../codes.ts';

/** Calls under way at a time. Few, so that a burst of them leaves the machine to API requests. */
const BATCH_SIZE = 20;
const CALL_DEADLINE_MS = 5_000;
/** gRPC code: the call itself is wrong, so that it is parked; a retry would not help. */
const GRPC_INVALID_ARGUMENT = 3;
/**
 * gRPC codes by which Temporal refuses us: an operator has to change credentials or namespace, and the calls wait for
 * it.
 */
const REFUSAL_CODES: ReadonlySet<number> = new Set([
  7 /* PERMISSION_DENIED */, 12 /* UNIMPLEMENTED */, 16 /* UNAUTHENTICATED */,
]);
/** Longer than a postponed call takes to fail again. */
const QUIET_MS = 15_000;

/** What the relay is built from. */
export interface WorkflowRelayDeps {
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Makes the calls of the workflow outbox: in order for each workflow, at least once, retrying without limit. Any number
 * of processes may run one. `wake` makes it look at once; it looks every `BUS_POLL_MS` anyway.
 */
export function createWorkflowRelay(deps: WorkflowRelayDeps): PollLoop {
  const outages = createOutageLog({
    logger: deps.logger,
    message: 'calls of the workflow outbox fail; they are tried again',
    quietMs: QUIET_MS,
  });
  const refusals = createOutageLog({
    logger: deps.logger,
    level: 'error',
    message: 'Temporal refuses calls of the workflow outbox; they wait until it takes them',
    quietMs: QUIET_MS,
  });
  return createPollLoop({
    name: 'pending-start-relay',
    channel: WORKFLOW_OUTBOX_CHANNEL,
    pollMs: deps.config.BUS_POLL_MS,
    pool: deps.system.pool,
    logger: deps.logger,
    runOnce: async () => {
      const rows = await claimCalls(deps.system.pool, BATCH_SIZE);
      const failures = (await Promise.all(rows.map((row) => carryOut(deps, row)))).filter(
        (failure) => failure !== undefined,
      );
      const failed = new Set(failures.map(({ row }) => row));
      await removeCalls(
        deps.system.pool,
        rows.filter((row) => !failed.has(row)),
      );
      await postponeCalls(deps.system.pool, failures);
      for (const [log, isRefusal] of [
        [refusals, true],
        [outages, false],
      ] as const) {
        const [first, ...others] = failures.filter(
          ({ error }) => REFUSAL_CODES.has(grpcCodeOf(error) ?? 0) === isRefusal,
        );
        if (first !== undefined) log.failed(first.error, { workflowId: first.row.workflowId, others: others.length });
      }
      return rows.length > 0;
    },
  });
}

/** Makes a call; returns it when it failed and is to be retried. */
async function carryOut(deps: WorkflowRelayDeps, row: ClaimedCall): Promise<FailedCall | undefined> {
  try {
    await inSpan(
      `${row.kind} ${row.workflowType}`,
      {
        kind: SpanKind.PRODUCER,
        parent: row.traceContext,
        attributes: { 'temporal.workflow.id': row.workflowId },
      },
      () => deps.client.withDeadline(Date.now() + CALL_DEADLINE_MS, () => call(deps, row)),
    );
    return undefined;
  } catch (error) {
    if (grpcCodeOf(error) !== GRPC_INVALID_ARGUMENT) return { row, error };
    await park(deps, row, error);
    return undefined;
  }
}

async function call({ client, config }: WorkflowRelayDeps, row: ClaimedCall): Promise<void> {
  const options = startOptions(config, row);
  const signalArgs = row.signalArg === null ? [] : [row.signalArg];
  try {
    switch (row.kind) {
      case 'start':
        await client.workflow.start(row.workflowType, { ...options, args: [row.input] });
        return;
      case 'signal_with_start':
        await client.workflow.signalWithStart(row.workflowType, {
          ...options,
          args: [row.input],
          signal: row.signalName ?? '',
          signalArgs,
        });
        return;
      case 'signal':
        await client.workflow.getHandle(row.workflowId).signal(row.signalName ?? '', ...signalArgs);
    }
  } catch (error) {
    const isDone =
      error instanceof WorkflowExecutionAlreadyStartedError ||
      (row.kind === 'signal' && error instanceof WorkflowNotFoundError);
    if (!isDone) throw error;
  }
}

async function park({ system, logger }: WorkflowRelayDeps, row: ClaimedCall, error: unknown): Promise<void> {
  logger.error(
    { workflowId: row.workflowId, err: error },
    'Temporal refuses a call of the workflow outbox for good; it is in the dead letters',
  );
  await system.acrossTenants((tx) =>
    parkDeadLetter(tx, {
      tenantId: row.tenantId,
      source: WORKFLOW_RELAY,
      type: row.workflowType,
      cause: 'call_refused' satisfies MessagingCause,
      detail: String(error),
      messageId: row.position,
      key: row.workflowId,
      payload: JSON.stringify(row),
    }),
  );
}
