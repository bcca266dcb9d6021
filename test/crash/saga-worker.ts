// A worker for the processes of tests, to be started and killed as `worker.ts` is.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createProcessActivities } from '../../src/activities/process/process.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { openDb } from '../../src/postgres/client.ts';
import { sagaSteps } from '../processes/saga-steps.ts';
import { loadSagaBundle } from '../support/saga-world.ts';

const config = loadProcessConfig();
const db = openDb({
  url: config.DATABASE_URL ?? '',
  role: config.DATABASE_ROLE,
  poolSize: 10,
  applicationName: 'test-saga-worker',
});
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const { codePath } = await loadSagaBundle();
const worker = await Worker.create({
  connection,
  namespace: 'default',
  taskQueue: config.TASK_QUEUE,
  workflowBundle: { codePath },
  activities: { ...createProcessActivities({ db, config }), ...sagaSteps(db, new Map()) },
  shutdownGraceTime: config.WORKER_SHUTDOWN_GRACE_MS,
});
const health = createServer((_, answer) => {
  answer.end();
}).listen(config.WORKER_PORT, '127.0.0.1');
await once(health, 'listening');
process.once('SIGTERM', () => {
  worker.shutdown();
});
await worker.run();
health.close();
await connection.close();
await db.close();
