import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createProcessActivities } from '../../src/activities/process/process.ts';
import { createStepActivity } from '../../src/activities/process/step.ts';
import { callAlone } from '../processes/saga-steps.ts';
import { createWatchdogActivities } from '../../src/activities/audits/process-watchdog.ts';
import type { Db } from '../../src/postgres/client.ts';
import { findWatched, type WatchedProcess } from '../../src/db/processes/process-watch.ts';
import { insertProcessesSql, processesParameter } from '../../src/db/processes/process-rows.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { beginProcess } from '../../src/domain/process/decide.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import { startOptions } from '../../src/temporal/start-options.ts';
import type { ProcessWatchReport } from '../../src/workflows/audits/audits.messages.ts';
import { processWorkflowId, processWorkflowType } from '../../src/workflows/process/process.messages.ts';
import type { Scope } from './scope.ts';
import { runWorker, type RunningWorker } from './worker.ts';
import { createWorld, type World } from './world.ts';
import { WATCHED_FACTS, WATCHED_TYPES } from '../processes/watched-definitions.ts';

export const TENANT = 'test';
const WORKFLOWS = fileURLToPath(new URL('../processes/watched-workflows.ts', import.meta.url));

/** Processes on a worker and a database of their own. */
export interface WatchedWorld extends World {
  /** Begins a process, on another task queue when one is named; without `isStarted` it has a row and no execution. */
  begin(
    type: string,
    options?: { taskQueue?: string; isStarted?: boolean },
  ): Promise<{ processId: string; workflowId: string }>;
  row(processId: string): Promise<WatchedProcess>;
  /** Changes a row by hand, as a restored backup would. */
  write(processId: string, change: string): Promise<void>;
  /** One round of the watchdog. */
  watch(): Promise<ProcessWatchReport>;
  /** What the alert about a process says; null: there is none open. */
  stuckAlert(processId: string): Promise<{ severity: string; summary: string } | null>;
  /** Starts another worker, until it is stopped. */
  work(taskQueue: string): Promise<RunningWorker>;
}

/** A world in which whatever does not move this millisecond has stood still for long enough to be looked at. */
export async function createWatchedWorld(scope: Scope): Promise<WatchedWorld> {
  const world = await createWorld(scope, { settings: { PROCESS_STUCK_AFTER_MS: '1' } });
  const { db, system, client, config } = world;
  const activities = {
    ...createProcessActivities({ db, config, facts: WATCHED_FACTS }),
    ...createWatchdogActivities({ db, system, client, config, facts: WATCHED_FACTS }),
    ...stepsOf(db),
  };
  const work = (taskQueue: string) => runWorker(world, { activities, workflowsPath: WORKFLOWS, taskQueue });
  await work(config.TASK_QUEUE);
  return {
    ...world,
    work,
    begin: (type, options) => begin({ db, client, config }, type, options),
    row: async (processId) =>
      (await findWatched(db.pool, { tenantId: TENANT, processId })) ?? Promise.reject(new Error('there is no row')),
    write: (processId, change) =>
      rawTransaction(
        db.pool,
        TENANT,
        async (tx) => void (await tx.query(`UPDATE process_states SET ${change} WHERE process_id = $1`, [processId])),
      ),
    watch: () =>
      client.workflow.execute<() => Promise<ProcessWatchReport>>('processWatchdog', {
        workflowId: `watch-${randomUUID()}`,
        taskQueue: config.TASK_QUEUE,
      }),
    stuckAlert: (processId) =>
      db.inTenant(TENANT, (tx) =>
        tx.alert.findFirst({
          where: { openKey: `process_stuck:${processId}` },
          select: { severity: true, summary: true },
        }),
      ),
  };
}

function stepsOf(db: Db) {
  const step = (what: Parameters<typeof createStepActivity>[1]) =>
    createStepActivity({ db, processType: (type) => WATCHED_TYPES[type]!, finders: WATCHED_FACTS.finders }, what);
  const fail = async (): Promise<never> => {
    throw new StepFailure('bank_away', 'The bank is away.');
  };
  return {
    succeed: step({ local: async (_, works) => works.map(() => ({ isDone: true })) }),
    refuse: step({ local: async (_, works) => works.map(() => ({ isDone: false, code: 'no', message: 'No.' })) }),
    failForNow: step({ local: fail }),
    failToCall: step({ remote: callAlone(fail) }),
  };
}

async function begin(
  { db, client, config }: Pick<WatchedWorld, 'db' | 'client' | 'config'>,
  type: string,
  { taskQueue = config.TASK_QUEUE, isStarted = true } = {},
): Promise<{ processId: string; workflowId: string }> {
  const processId = randomUUID();
  const workflowId = processWorkflowId({ type, processId });
  const row = { processId, type, workflowId, ...beginProcess(WATCHED_TYPES[type]!, { data: {}, now: Date.now() }) };
  await rawTransaction(db.pool, TENANT, (tx) =>
    tx.query(`WITH ${insertProcessesSql(2)} SELECT`, [TENANT, processesParameter([row])]),
  );
  const workflowType = processWorkflowType(type);
  if (isStarted) {
    await client.workflow.start(workflowType, {
      ...startOptions(config, { tenantId: TENANT, workflowType, workflowId }),
      taskQueue,
      args: [{ tenantId: TENANT, processId }],
    });
  }
  return { processId, workflowId };
}
