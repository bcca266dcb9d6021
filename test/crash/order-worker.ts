// A worker for orders and refunds whose bank and carrier are elsewhere, to be started and killed as `worker.ts` is.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../../src/activities/create-activities.ts';
import { createWorker } from '../../src/composition/worker.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { openDb } from '../../src/postgres/client.ts';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { remotePorts } from '../support/remote-ports.ts';

const config = loadProcessConfig();
const db = openDb({
  url: config.DATABASE_URL ?? '',
  role: config.DATABASE_ROLE,
  poolSize: config.DATABASE_POOL_SIZE,
  applicationName: 'test-order-worker',
});
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const client = new Client({ connection });
const { codePath } = await loadWorkflowBundle(join(tmpdir(), 'steadfast-test-bundles'));
const { bank, carrier } = remotePorts(process.env['PROVIDERS_URL'] ?? '');
const gateways = {
  mail: undefined,
  payments: { byName: { bank: { remote: bank } }, current: 'bank' },
  shipping: { byName: { carrier: { remote: carrier } }, current: 'carrier' },
};
const worker = await createWorker({
  config,
  connection,
  namespace: 'default',
  codePath,
  activities: createActivities({ db, client, config, gateways }),
});
const relay = createWorkflowRelay({ db, client, config, logger: pino({ level: 'silent' }) });
relay.start();
const health = createServer((_, answer) => {
  answer.end();
}).listen(config.WORKER_PORT, '127.0.0.1');
await once(health, 'listening');
process.once('SIGTERM', () => {
  worker.shutdown();
});
await worker.run();
await relay.stop();
health.close();
await connection.close();
await db.close();
