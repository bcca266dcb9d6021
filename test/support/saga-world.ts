import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { z } from 'zod';
import { createProcessActivities } from '../../src/activities/process/process.ts';
import type { ProcessActivities, StepActivity } from '../../src/workflows/process/process.activities.ts';
import type { ProcessState as ProcessRow } from '../../src/postgres/generated/client.ts';
import { insertProcessesSql, processesParameter } from '../../src/db/processes/process-rows.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { beginProcess } from '../../src/domain/process/decide.ts';
import type { ProcessData } from '../../src/domain/process/definition.ts';
import { startOptions } from '../../src/temporal/start-options.ts';
import {
  processStateQuery,
  processWorkflowId,
  processWorkflowType,
  type ProcessView,
} from '../../src/workflows/process/process.messages.ts';
import type { Scope } from './scope.ts';
import { runWorker } from './worker.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';
import { SAGA_FACTS, sagaType, type SagaType } from '../processes/saga-definitions.ts';
import { EFFECTS_SQL, sagaSteps, type Ending, type Script } from '../processes/saga-steps.ts';

/** The workflows of these tests. */
export const SAGA_WORKFLOWS = fileURLToPath(new URL('../processes/saga-workflows.ts', import.meta.url));
export const TENANT = 'test';
/** Who commands, and why. */
export const BY = { by: 'ann', reason: 'because' } as const;

/** A process under test. */
export interface Saga {
  readonly processId: string;
  readonly type: SagaType;
  readonly handle: WorkflowHandle;
  row(): Promise<ProcessRow>;
  view(): Promise<ProcessView>;
  /**
   * What it did, in order: local steps in the transaction of their outcome, then calls elsewhere with how often they
   * were made.
   */
  effects(): Promise<string[]>;
  /** The types of its events, in order, with their steps. */
  events(): Promise<string[]>;
  /** Statuses of its steps in the row. */
  steps(): Promise<Record<string, string>>;
  /** The latest of a kind. */
  alert(kind: 'process_parked' | 'process_overdue'): Promise<{ status: string; count: number } | undefined>;
  /** Starts its workflow, again when it is closed. */
  start(): Promise<void>;
}

/** A worker on real PostgreSQL with the processes of these tests. */
export interface SagaWorld extends World {
  readonly rows: ProcessActivities;
  readonly steps: Readonly<Record<string, StepActivity>>;
  /** Begins a process whose attempts come to what `script` says, by activity, and then succeed. */
  begin(
    type: SagaType,
    script?: Readonly<Record<string, readonly Ending[]>>,
    options?: { now?: number; isStarted?: boolean; data?: ProcessData },
  ): Promise<Saga>;
}

/** Starts a worker of these processes. */
export async function createSagaWorld(scope: Scope, options?: WorldOptions): Promise<SagaWorld> {
  const world = await createWorld(scope, options);
  const { db, client, config } = world;
  await createEffects(world.databaseUrl);
  const script: Script = new Map();
  const rows = createProcessActivities({ db, config, facts: SAGA_FACTS });
  const steps = sagaSteps(db, script);
  await runWorker(world, { activities: { ...rows, ...steps }, workflowsPath: SAGA_WORKFLOWS });
  return {
    ...world,
    rows,
    steps,
    begin: async (type, endings = {}, { now = Date.now(), isStarted = true, data = {} } = {}) => {
      const processId = randomUUID();
      for (const [activity, list] of Object.entries(endings)) script.set(`${processId} ${activity}`, [...list]);
      const saga = await insertSaga({ db, client, config }, { processId, type, data, now });
      if (isStarted) await saga.start();
      return saga;
    },
  };
}

/** Inserts a process without starting its workflow. */
export async function insertSaga(
  deps: Pick<SagaWorld, 'db' | 'client' | 'config'>,
  { processId, type, data, now }: { processId: string; type: SagaType; data: ProcessData; now: number },
): Promise<Saga> {
  const row = {
    processId,
    type,
    workflowId: processWorkflowId({ type, processId }),
    ...beginProcess(sagaType(type), { data, now }),
  };
  await rawTransaction(deps.db.pool, TENANT, (tx) =>
    tx.query(`WITH ${insertProcessesSql(2)} SELECT`, [TENANT, processesParameter([row])]),
  );
  return sagaOf(deps, { processId, type });
}

function sagaOf(
  { db, client, config }: Pick<SagaWorld, 'db' | 'client' | 'config'>,
  { processId, type }: { processId: string; type: SagaType },
): Saga {
  const workflowId = processWorkflowId({ type, processId });
  const handle = client.workflow.getHandle(workflowId);
  const row = () =>
    db.inTenant(TENANT, (tx) =>
      tx.processState.findUniqueOrThrow({ where: { tenantId_processId: { tenantId: TENANT, processId } } }),
    );
  const texts = (sql: string) =>
    rawTransaction(db.pool, TENANT, async (tx) =>
      (await tx.query<{ text: string }>(sql, [processId])).rows.map(({ text }) => text),
    );
  return {
    processId,
    type,
    handle,
    row,
    view: async () =>
      (await handle.query(processStateQuery)) ?? Promise.reject(new Error('the process is not loaded yet')),
    effects: () =>
      texts(`
      SELECT text FROM (SELECT 0 AS part, position, activity AS text FROM effects WHERE process_id = $1
        UNION ALL SELECT 1, 0, activity || ' x' || calls FROM outside WHERE process_id = $1) AS e
          ORDER BY part, position, text`),
    events: () =>
      texts(`SELECT concat_ws(' ', type, step) AS text FROM process_events WHERE process_id = $1 ORDER BY sequence`),
    steps: async () => Object.fromEntries(historyOf(await row()).map(({ step, status }) => [step, status])),
    alert: (kind) =>
      db.inTenant(
        TENANT,
        async (tx) =>
          (await tx.alert.findFirst({
            where: { kind, details: { path: ['processId'], equals: processId } },
            orderBy: { firstSeenAt: 'desc' },
          })) ?? undefined,
      ),
    start: async () => {
      const workflowType = processWorkflowType(type);
      await client.workflow.start(workflowType, {
        ...startOptions(config, { tenantId: TENANT, workflowType, workflowId }),
        args: [{ tenantId: TENANT, processId }],
      });
    },
  };
}

/** The steps as the row has them. */
function historyOf({ history }: ProcessRow): { step: string; status: string }[] {
  return z.array(z.looseObject({ step: z.string(), status: z.string() })).parse(history);
}

/** Makes the tables of the effects. */
export async function createEffects(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(EFFECTS_SQL);
  await client.end();
}
