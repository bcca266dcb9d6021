import type { Client } from '@temporalio/client';
import { alertChannels } from '../../alerts/channels.ts';
import type { AlertKind } from '../../domain/alerts/codes.ts';
import { clearAlert, raiseAlert } from '../../db/alerts/raise-alert.ts';
import type { Config } from '../../config/config.ts';
import { FACTS, findFact, type Fact, type Facts } from '../../db/facts.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import type { Db } from '../../postgres/client.ts';
import { parkMissing } from '../../db/processes/park-missing.ts';
import { askAgain } from '../../db/orders/choreography.ts';
import { whoAnswers } from '../../db/orders/conversation.ts';
import { findWatched, type WatchedProcess } from '../../db/processes/process-watch.ts';
import { assertNever } from '../../domain/shared/assert-never.ts';
import { isByMessages } from '../../domain/process/registry.ts';
import { isClosed, isParked } from '../../domain/process/statuses.ts';
import { classify, remedyOf, type Diagnosis, type ProcessClass } from '../../domain/process/watch.ts';
import { startOptions } from '../../temporal/start-options.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';
import { observeExecution } from './describe-execution.ts';

/** What looking after processes needs. */
export interface WatchdogDeps {
  readonly db: Db;
  readonly client: Client;
  readonly config: Config;
  /** What finds the events for which processes wait; absent: the product's. */
  readonly facts?: Facts;
}

/** What was found of a process, and what was done about it. */
export interface Recovery {
  /** `not_found`: there is no such process. */
  readonly classed: ProcessClass | 'not_found' | 'unanswered';
  readonly action: 'none' | 'restarted' | 'told' | 'alerted' | 'asked_again';
  /** One sentence for operators. */
  readonly detail: string;
}

/** What was found of a process. */
interface Inspected {
  readonly row: WatchedProcess;
  readonly found: Diagnosis;
  /** What it waits for, if that has happened. */
  readonly fact: Fact | undefined;
}

/** Kind of the alerts raised here; their key is the process's id. */
export const STUCK_ALERT = 'process_stuck' satisfies AlertKind;

/**
 * Looks at one process now, starts its workflow again when that is gone, and alerts when only a person can help; one
 * that was abandoned gets its dead letter where it has none. Throws when PostgreSQL or Temporal does not answer.
 */
export async function recoverProcess(
  deps: WatchdogDeps,
  key: { tenantId: string; processId: string },
): Promise<Recovery> {
  const known = await findWatched(deps.db.pool, key);
  if (known !== null && isByMessages(known.type)) return recoverByMessages(deps, known);
  const inspected = await inspectProcess(deps, key);
  if (inspected !== null) {
    if (inspected.row.status === 'abandoned') await parkMissing(deps.db.pool, key);
    return { ...inspected.found, action: await remedy(deps, inspected) };
  }
  await clearStuck(deps, key);
  return { classed: 'not_found', action: 'none', detail: 'There is no such process.' };
}

/** Asks the service again that has not answered; there is no workflow to be looked at. */
async function recoverByMessages(
  { db, config }: WatchdogDeps,
  { tenantId, processId, status }: WatchedProcess,
): Promise<Recovery> {
  if (isClosed(status)) return { classed: 'closed', action: 'none', detail: `It is ${status}.` };
  const deadlineMs = config.CHOREOGRAPHY_STEP_DEADLINE_MS;
  const asked = await askAgain(db.pool, { tenantId, orderId: processId, deadlineMs });
  if (asked === null) return { classed: 'waiting', action: 'none', detail: 'It waits for its delivery to be told.' };
  const detail = `${whoAnswers(asked)} was asked again: ${asked.message.type}, for the ${asked.times}. time.`;
  return { classed: 'unanswered', action: 'asked_again', detail };
}

/** Takes the alert of a process back unless it still tells what is so. */
export async function reviewAlert(deps: WatchdogDeps, key: { tenantId: string; processId: string }): Promise<void> {
  const inspected = await inspectProcess(deps, key);
  if (inspected === null || remedyOf(inspected.found.classed) !== 'alert') await clearStuck(deps, key);
}

/** The row is read after the execution: a process that ends in between is closed in both, not gone in one. */
async function inspectProcess(
  deps: WatchdogDeps,
  key: { tenantId: string; processId: string },
): Promise<Inspected | null> {
  const known = await findWatched(deps.db.pool, key);
  if (known === null) return null;
  const execution = await observeExecution(deps, known.workflowId);
  const row = await findWatched(deps.db.pool, key);
  if (row === null) return null;
  const fact = await rawTransaction(deps.db.pool, row.tenantId, (client) =>
    findFact(client, deps.facts ?? FACTS, { state: row, ...row }),
  );
  const stuckAfterMs = deps.config.PROCESS_STUCK_AFTER_MS;
  const found = classify({ now: Date.now(), stuckAfterMs, row, execution, hasHappened: fact !== undefined });
  return { row, found, fact };
}

async function remedy(deps: WatchdogDeps, { row, found, fact }: Inspected): Promise<Recovery['action']> {
  const needed = remedyOf(found.classed);
  switch (needed) {
    case 'none':
      await clearStuck(deps, row);
      return 'none';
    case 'restart':
    case 'replace':
      await restart(deps, row, needed === 'replace' ? 'TERMINATE_EXISTING' : 'USE_EXISTING');
      await clearOutdated(deps, row);
      return 'restarted';
    case 'tell':
      if (fact !== undefined) await tell(deps, row, fact);
      await clearStuck(deps, row);
      return 'told';
    case 'alert':
      await alert(deps, row, found);
      return 'alerted';
    default:
      return assertNever(needed);
  }
}

/** A new run reads the row and goes on from there; of a closed process it ends as the process did. */
async function restart(
  { client, config }: WatchdogDeps,
  { tenantId, processId, type, workflowId }: WatchedProcess,
  workflowIdConflictPolicy: 'USE_EXISTING' | 'TERMINATE_EXISTING',
): Promise<void> {
  const workflowType = processWorkflowType(type);
  await client.workflow.start(workflowType, {
    ...startOptions(config, { tenantId, workflowType, workflowId }),
    workflowIdConflictPolicy,
    args: [{ tenantId, processId }],
  });
}

/** Tells a process what it waits for, which the rows know and its execution does not. */
async function tell(
  { client, config }: WatchdogDeps,
  { tenantId, processId, type, workflowId }: WatchedProcess,
  { event, payload }: Fact,
): Promise<void> {
  const workflowType = processWorkflowType(type);
  await client.workflow.signalWithStart(workflowType, {
    ...startOptions(config, { tenantId, workflowType, workflowId }),
    args: [{ tenantId, processId }],
    signal: event,
    signalArgs: [payload],
  });
}

/** What the run before has raised and the new one will not take back; what still holds it raises again itself. */
async function clearOutdated(deps: WatchdogDeps, { tenantId, processId, status }: WatchedProcess): Promise<void> {
  const outdated = [
    STUCK_ALERT,
    ...(isParked(status) ? [] : ['process_parked']),
    ...(status === 'waiting' ? [] : ['process_overdue']),
  ];
  await deps.db.inTenant(tenantId, async (tx) => {
    for (const kind of outdated) await clearAlert(tx, { tenantId, kind, key: processId });
  });
}

async function clearStuck(
  { db }: WatchdogDeps,
  { tenantId, processId }: { tenantId: string; processId: string },
): Promise<void> {
  await db.inTenant(tenantId, (tx) => clearAlert(tx, { tenantId, kind: STUCK_ALERT, key: processId }));
}

async function alert({ db, config }: WatchdogDeps, row: WatchedProcess, { classed, detail }: Diagnosis): Promise<void> {
  const { tenantId, processId, type, status, currentStep, workflowId } = row;
  await db.inTenant(tenantId, (tx) =>
    raiseAlert(
      tx,
      {
        tenantId,
        kind: STUCK_ALERT,
        key: processId,
        severity: classed === 'stalled' ? 'warning' : 'critical',
        summary: `The ${type} ${processId} does not move: ${detail}`,
        details: { processId, type, workflowId, classed, status, currentStep },
      },
      alertChannels(config),
    ),
  );
}
