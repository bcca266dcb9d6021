import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from '@temporalio/worker';
import { createActivities, type ActivityGateways } from '../../src/activities/create-activities.ts';
import { createSubjectHash } from '../../src/auth/subject-hash.ts';
import { createGateways } from '../../src/composition/gateways.ts';
import { createWorker } from '../../src/composition/worker.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { loadWorkflowBundle, type WorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { World } from './world.ts';
import './quiet.ts';

/** The bundle of the product's workflows, or of those of a module; all test files share what was built once. */
export function testBundle(workflowsPath?: string): Promise<WorkflowBundle> {
  return loadWorkflowBundle(
    join(tmpdir(), 'steadfast-test-bundles'),
    workflowsPath === undefined ? {} : { workflowsPath },
  );
}

/** A worker of this process. */
export interface RunningWorker {
  readonly stop: () => Promise<void>;
}

/** Runs a worker in this process until it is stopped or the world ends. */
export async function runWorker(
  { scope, config, temporal }: World,
  {
    activities,
    workflowsPath,
    taskQueue = config.TASK_QUEUE,
    options = {},
  }: { activities: object; workflowsPath?: string; taskQueue?: string; options?: Partial<WorkerOptions> },
): Promise<RunningWorker> {
  const { codePath } = await testBundle(workflowsPath);
  const worker = await createWorker({
    config,
    connection: await temporal.connect(),
    namespace: temporal.namespace,
    codePath,
    activities,
    options: { taskQueue, shutdownGraceTime: 0, ...options },
  });
  const polling = worker.run();
  const stop = async (): Promise<void> => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await polling;
  };
  scope.teardown(stop);
  return { stop };
}

/** Runs the product's worker in this process, with what carries out promised calls; it sends no mail. */
export async function runProduct(
  world: World,
  {
    around = (gateways) => gateways,
  }: {
    /** Puts what a test lets go wrong around the gateways. */
    around?: (gateways: ActivityGateways) => ActivityGateways;
  } = {},
): Promise<void> {
  const { scope, db, system, client, config, logger } = world;
  const gateways = around({ ...createGateways(config), mail: undefined });
  const subjectHash = await createSubjectHash(config);
  await runWorker(world, { activities: createActivities({ db, system, client, config, gateways, subjectHash }) });
  const relay = createWorkflowRelay({ system, client, config, logger });
  relay.start();
  scope.teardown(() => relay.stop());
}
