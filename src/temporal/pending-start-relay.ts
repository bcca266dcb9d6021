import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { ALL_TENANTS, type Db } from '../db/client.ts';
import { parkDeadLetter } from '../db/dead-letters.ts';
import { claimPendingStarts, postponePendingStart, removePendingStart, PENDING_START_CHANNEL, type PendingStartRow } from '../db/pending-starts.ts';
import { createPollLoop, type PollLoop } from '../poll-loop.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';
import { inSpan } from '../telemetry/trace-context.ts';
import { grpcCodeOf } from './grpc-code.ts';
import { startOptions } from './start-options.ts';

const BATCH_SIZE = 100;
const CALL_DEADLINE_MS = 5_000;
/** The call itself is wrong: trying again would not help. */
const GRPC_INVALID_ARGUMENT = 3;
/** Temporal is there and says no to us: an operator has to change something, and the promises wait for it. */
const REFUSAL_CODES: ReadonlySet<number> = new Set([7 /* PERMISSION_DENIED */, 12 /* UNIMPLEMENTED */, 16 /* UNAUTHENTICATED */]);
/** Longer than a postponed call takes to fail again. */
const QUIET_MS = 15_000;

/** What the relay needs. */
export interface PendingStartRelayDeps {
  readonly db: Db;
  readonly client: Client;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Carries out promised calls on workflows: in order for each workflow, at least once, and for as long as it takes.
 * Any number of processes may run one. `wake` makes it look at once; it looks by itself every `BUS_POLL_MS` anyway.
 */
export function createPendingStartRelay(deps: PendingStartRelayDeps): PollLoop {
  const outages = createOutageLog({ logger: deps.logger, message: 'promised calls on workflows fail; they are tried again', quietMs: QUIET_MS });
  const refusals = createOutageLog({
    logger: deps.logger, level: 'error', message: 'Temporal refuses promised calls on workflows; they wait until it takes them', quietMs: QUIET_MS,
  });
  return createPollLoop({
    name: 'pending-start-relay', channel: PENDING_START_CHANNEL, pollMs: deps.config.BUS_POLL_MS, pool: deps.db.pool, logger: deps.logger,
    runOnce: async () => {
      const rows = await deps.db.inTenant(ALL_TENANTS, (tx) => claimPendingStarts(tx, BATCH_SIZE));
      const failures = (await Promise.all(rows.map((row) => carryOut(deps, row)))).filter((failure) => failure !== undefined);
      for (const [log, isRefusal] of [[refusals, true], [outages, false]] as const) {
        const [first, ...others] = failures.filter(({ error }) => REFUSAL_CODES.has(grpcCodeOf(error) ?? 0) === isRefusal);
        if (first !== undefined) log.failed(first.error, { workflowId: first.workflowId, others: others.length });
      }
      return rows.length > 0;
    },
  });
}

/** What became of a call that failed and is tried again. */
interface PostponedCall {
  readonly workflowId: string;
  readonly error: unknown;
}

async function carryOut(deps: PendingStartRelayDeps, row: PendingStartRow): Promise<PostponedCall | undefined> {
  try {
    await inSpan(`${row.kind} ${row.workflowType}`, {
      kind: SpanKind.PRODUCER, parent: row.traceContext, attributes: { 'temporal.workflow.id': row.workflowId },
    }, () => deps.client.withDeadline(Date.now() + CALL_DEADLINE_MS, () => call(deps, row)));
  } catch (error) {
    if (grpcCodeOf(error) === GRPC_INVALID_ARGUMENT) {
      await park(deps, row, error);
      return undefined;
    }
    await deps.db.inTenant(row.tenantId, (tx) => postponePendingStart(tx, row, String(error)));
    return { workflowId: row.workflowId, error };
  }
  await deps.db.inTenant(row.tenantId, (tx) => removePendingStart(tx, row));
  return undefined;
}

async function call({ client, config }: PendingStartRelayDeps, row: PendingStartRow): Promise<void> {
  const options = startOptions(config, row);
  const signalArgs = row.signalArg === null ? [] : [row.signalArg];
  try {
    switch (row.kind) {
      case 'start':
        await client.workflow.start(row.workflowType, { ...options, args: [row.input] });
        return;
      case 'signal_with_start':
        await client.workflow.signalWithStart(row.workflowType, { ...options, args: [row.input], signal: row.signalName ?? '', signalArgs });
        return;
      case 'signal':
        await client.workflow.getHandle(row.workflowId).signal(row.signalName ?? '', ...signalArgs);
    }
  } catch (error) {
    const isDone = error instanceof WorkflowExecutionAlreadyStartedError || (row.kind === 'signal' && error instanceof WorkflowNotFoundError);
    if (!isDone) throw error;
  }
}

async function park({ db, logger }: PendingStartRelayDeps, row: PendingStartRow, error: unknown): Promise<void> {
  logger.error({ workflowId: row.workflowId, err: error }, 'Temporal refuses a promised call for good; it is in the dead letters');
  await db.inTenant(row.tenantId, async (tx) => {
    await parkDeadLetter(tx, {
      tenantId: row.tenantId, source: 'pending-start', type: row.workflowType, cause: 'call_refused', detail: String(error),
      messageId: randomUUID(), key: row.workflowId, payload: JSON.stringify(row, (_, value: unknown) => typeof value === 'bigint' ? String(value) : value),
    });
    await removePendingStart(tx, row);
  });
}
