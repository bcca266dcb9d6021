import { heartbeat, log } from '@temporalio/activity';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { SystemDb } from '../../postgres/client.ts';
import { closedAmong, FIRST_UNMOVED, unmovedProcesses, type WatchedProcess } from '../../db/processes/process-watch.ts';
import { openAlerts } from '../../db/alerts/raise-alert.ts';
import { FACTS, findFacts } from '../../db/facts.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { isByMessages, PROCESS_TYPES } from '../../domain/process/registry.ts';
import { waitOf } from '../../domain/process/watch.ts';
import {
  recoverProcess,
  reviewAlert,
  STUCK_ALERT,
  type WatchdogDeps,
} from '../../maintenance/watchdog/recover-process.ts';
import { addReports, NOTHING_WATCHED, type ProcessWatchReport } from '../../workflows/audits/audits.messages.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';
import type { WatchdogActivities, WatchPage, WatchPlace } from '../../workflows/audits/process-watchdog.activities.ts';

/** Processes of one page; one listing of Temporal finds all their executions. */
const PAGE_SIZE = 100;
/**
 * Share, 0 to 1, of the processes waiting by design that are diagnosed one by one, when there are too many to diagnose
 * all.
 */
const ASKED_SHARE = 0.05;
const LIST_SIZE = 1_000;

/** What a round looks at: the processes of every tenant. */
interface RoundDeps extends WatchdogDeps {
  readonly system: SystemDb;
}

type Key = Pick<WatchedProcess, 'tenantId' | 'processId'>;

/** The activities of the watchdog. */
export function createWatchdogActivities(deps: RoundDeps): WatchdogActivities {
  return {
    watchProcesses: ({ from }) => watchPage(deps, from ?? FIRST_UNMOVED),
    watchLeftOpen: () => watchLeftOpen(deps),
    reviewStuckAlerts: () => reviewStuckAlerts(deps),
  };
}

/** A process that waits by design and has an open execution needs nothing; every other one is diagnosed. */
async function watchPage(deps: RoundDeps, from: WatchPlace): Promise<WatchPage> {
  const stuckAfterMs = deps.config.PROCESS_STUCK_AFTER_MS;
  const { processes: unmoved, next } = await unmovedProcesses(deps.system.pool, {
    cursor: from,
    stuckAfterMs,
    limit: PAGE_SIZE,
  });
  // Of those that services carry an alert of their own tells, and no workflow is to be started.
  const processes = unmoved.filter(({ type }) => !isByMessages(type));
  const areFew = from.after === null && processes.length < PAGE_SIZE;
  const waits = (watched: WatchedProcess): boolean =>
    waitOf(watched, { now: Date.now(), stuckAfterMs }) !== null && !areFew && Math.random() >= ASKED_SHARE;
  const waiting = processes.filter(waits);
  const open = await openExecutions(
    deps.client,
    waiting.map(({ workflowId }) => workflowId),
  );
  const told = await toldAmong(deps, waiting);
  const isWaiting = new Set(waiting.filter((watched) => open.has(watched.workflowId) && !told.has(watched.processId)));
  const report = await inspectEach(
    deps,
    processes.filter((watched) => !isWaiting.has(watched)),
  );
  const unasked = {
    ...NOTHING_WATCHED,
    checked: isWaiting.size,
    ...(isWaiting.size === 0 ? {} : { classes: { waiting: isWaiting.size } }),
  };
  return { ...addReports(report, unasked), next };
}

/** Ids of those processes whose event has happened though they wait for it: one statement for each kind of wait. */
async function toldAmong(
  { db, facts = FACTS }: RoundDeps,
  waiting: readonly WatchedProcess[],
): Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  const kinds = Object.values(
    Object.groupBy(
      waiting.filter(({ status }) => status === 'waiting'),
      ({ tenantId, type, currentStep }) => JSON.stringify([tenantId, type, currentStep]),
    ),
  );
  for (const processes of kinds) {
    const [first] = processes ?? [];
    if (first === undefined) continue;
    const { tenantId, type, currentStep: step } = first;
    const processIds = (processes ?? []).map(({ processId }) => processId);
    const found = await rawTransaction(db.pool, tenantId, (client) =>
      findFacts(client, facts, { type, step, tenantId, processIds }),
    );
    for (const processId of found.keys()) told.add(processId);
  }
  return told;
}

/** The reverse check: open executions whose process is closed in its row. */
async function watchLeftOpen(deps: RoundDeps): Promise<ProcessWatchReport> {
  const types = Object.keys(PROCESS_TYPES)
    .filter((type) => !isByMessages(type))
    .map((type) => `"${processWorkflowType(type)}"`)
    .join(', ');
  const before = new Date(Date.now() - deps.config.PROCESS_STUCK_AFTER_MS).toISOString();
  const query = `TaskQueue = "${deps.config.TASK_QUEUE}" AND ExecutionStatus = "Running" AND WorkflowType IN (${types})
    AND StartTime < "${before}"`;
  let report = NOTHING_WATCHED;
  let page: string[] = [];
  const look = async (): Promise<void> => {
    report = addReports(report, await inspectEach(deps, await closedOf(deps, page)));
    page = [];
  };
  for await (const { workflowId } of deps.client.workflow.list({ query, pageSize: LIST_SIZE })) {
    heartbeat();
    if (page.push(workflowId) === LIST_SIZE) await look();
  }
  await look();
  return report;
}

/**
 * The closed processes among these executions, without those closed just now: their executions are about to close too.
 */
async function closedOf({ system, config }: RoundDeps, workflowIds: readonly string[]): Promise<readonly Key[]> {
  const processIds = workflowIds.map((id) => id.slice(id.indexOf(':') + 1)).filter((id) => UUID.test(id));
  const closed = await closedAmong(system.pool, { processIds, workflowIds });
  return closed.filter(({ updatedAt }) => updatedAt < Date.now() - config.PROCESS_STUCK_AFTER_MS);
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

async function reviewStuckAlerts(deps: RoundDeps): Promise<void> {
  const alerts = await deps.system.acrossTenants((tx) => openAlerts(tx, STUCK_ALERT));
  for (const { tenantId, openKey } of alerts) {
    heartbeat();
    const processId = openKey?.slice(STUCK_ALERT.length + 1) ?? '';
    await reviewAlert(deps, { tenantId, processId }).catch((error: unknown) =>
      log.warn('an alert could not be reviewed', { processId, error }),
    );
  }
}

/** One process that can't be diagnosed must not end the round for the others. */
async function inspectEach(deps: RoundDeps, keys: readonly Key[]): Promise<ProcessWatchReport> {
  let report = NOTHING_WATCHED;
  for (const key of keys) {
    heartbeat();
    const seen = await recoverProcess(deps, key).then(
      ({ classed, action }) => ({
        checked: 1,
        restarted: action === 'restarted' ? 1 : 0,
        alerted: action === 'alerted' ? 1 : 0,
        failed: 0,
        classes: classed === 'not_found' ? {} : { [classed]: 1 },
      }),
      (error: unknown) => {
        log.warn('a process could not be looked at', { processId: key.processId, error });
        return { ...NOTHING_WATCHED, checked: 1, failed: 1 };
      },
    );
    report = addReports(report, seen);
  }
  return report;
}

async function openExecutions(client: Client, workflowIds: readonly string[]): Promise<Set<string>> {
  const open = new Set<WorkflowExecutionInfo['workflowId']>();
  if (workflowIds.length === 0) return open;
  const query = `ExecutionStatus = "Running" AND WorkflowId IN (${workflowIds.map((id) => `"${id}"`).join(', ')})`;
  for await (const { workflowId } of client.workflow.list({ query, pageSize: LIST_SIZE })) open.add(workflowId);
  return open;
}
