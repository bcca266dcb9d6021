import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { ALL_TENANTS, type Db } from '../db/client.ts';
import { parkDeadLetter } from '../db/dead-letters.ts';
import { claimPendingStarts, postponePendingStart, removePendingStart, PENDING_START_CHANNEL, type PendingStartRow } from '../db/pending-starts.ts';
import { createPollLoop, type PollLoop } from '../poll-loop.ts';
import { grpcCodeOf } from './grpc-code.ts';
import { startOptions } from './start-options.ts';

const BATCH_SIZE = 100;
const CALL_DEADLINE_MS = 5_000;
/** gRPC codes by which the server says that the call itself is wrong: trying again would not help. */
const PERMANENT_CODES: ReadonlySet<number> = new Set([3 /* INVALID_ARGUMENT */, 7 /* PERMISSION_DENIED */, 12 /* UNIMPLEMENTED */]);

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
  return createPollLoop({
    name: 'pending-start-relay', channel: PENDING_START_CHANNEL, pollMs: deps.config.BUS_POLL_MS, pool: deps.db.pool, logger: deps.logger,
    runOnce: async () => {
      const rows = await deps.db.inTenant(ALL_TENANTS, (tx) => claimPendingStarts(tx, BATCH_SIZE));
      await Promise.all(rows.map((row) => carryOut(deps, row)));
      return rows.length > 0;
    },
  });
}

async function carryOut(deps: PendingStartRelayDeps, row: PendingStartRow): Promise<void> {
  try {
    await deps.client.withDeadline(Date.now() + CALL_DEADLINE_MS, () => call(deps, row));
  } catch (error) {
    if (PERMANENT_CODES.has(grpcCodeOf(error) ?? 0)) return park(deps, row, error);
    deps.logger.warn({ workflowId: row.workflowId, attempts: row.attempts, err: error }, 'a promised call on a workflow failed; it is tried again');
    return deps.db.inTenant(row.tenantId, (tx) => postponePendingStart(tx, row, String(error)));
  }
  await deps.db.inTenant(row.tenantId, (tx) => removePendingStart(tx, row));
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
