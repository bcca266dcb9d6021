import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ActivityDeps } from '../../src/activities/create-activities.ts';
import { createSubjectHash } from '../../src/auth/subject-hash.ts';
import { createWorker } from '../../src/composition/worker.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { openDatabases } from '../../src/composition/database.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { openScope } from '../support/scope.ts';
import { temporalAt } from '../support/temporal.ts';
import { testBundle } from '../support/worker.ts';

/** Runs a worker of the tests, as `worker.ts` runs the product's: until SIGTERM, and healthy once it polls. */
export async function serveWorker(
  activitiesOf: (deps: Pick<ActivityDeps, 'db' | 'system' | 'client' | 'config' | 'subjectHash'>) => object,
  workflowsPath?: string,
): Promise<void> {
  const config = loadProcessConfig();
  const scope = openScope();
  const { db, system } = openDatabases(config, 'worker');
  scope.teardown(async () => void (await Promise.all([db.close(), system.close()])));
  const { client, namespace, connect } = temporalAt(scope, process.env['TEMPORAL_ADDRESS']);
  const { codePath } = await testBundle(workflowsPath);
  const activities = activitiesOf({ db, system, client, config, subjectHash: await createSubjectHash(config) });
  const worker = await createWorker({ config, connection: await connect(), namespace, codePath, activities });
  const relay = createWorkflowRelay({ system, client, config, logger: createLogger(config, 'worker') });
  relay.start();
  scope.teardown(() => relay.stop());
  const health = createServer((_, answer) => {
    answer.end();
  }).listen(config.WORKER_PORT, '127.0.0.1');
  await once(health, 'listening');
  scope.teardown(() => void health.close());
  process.once('SIGTERM', () => worker.shutdown());
  await worker.run();
  await scope.close();
}
