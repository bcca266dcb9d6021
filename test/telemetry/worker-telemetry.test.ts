import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import test from 'ava';
import { loadConfig } from '../../src/config/config.ts';
import { openSystemDb } from '../../src/postgres/client.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/maintenance/metrics/metrics.ts';
import { installRuntime } from '../../src/telemetry/runtime.ts';
import { startMetricsServer } from '../../src/telemetry/metrics-server.ts';
import { createDatabase, openTestDb, openTestSystem, temporalAddress } from '../support/services.ts';
import { until } from '../support/until.ts';

test("the worker shows its health, our gauges and the SDK's metrics under the documented names", async (t) => {
  const config = loadConfig({ LOG_LEVEL: 'silent' });
  const logger = createLogger(config, 'worker');
  const { sdkMetrics } = await installRuntime(config, logger);
  const database = await createDatabase();
  const db = openTestDb(database.url, 4);
  const system = openTestSystem(database.url);
  t.teardown(() => system.close());
  const tenantId = 'acme';
  await db.inTenant(tenantId, async (tx) => {
    const id = randomUUID();
    await tx.user.create({ data: { tenantId, id, authSubject: id, email: 'a@users.example', syncStatus: 'retry' } });
    await tx.deadLetter.create({
      data: {
        tenantId,
        id,
        source: 'notification',
        type: 't',
        cause: 'c',
        detail: 'd',
        messageId: 'm',
        key: 'k',
        payload: '',
      },
    });
  });
  const metrics = createMetrics({ system });
  let polls = false;
  const http = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    isPolling: () => polls,
    setting: 'WORKER_PORT',
    metricsText: async () => `${await metrics.text()}\n${await sdkMetrics()}`,
    logger,
  });
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  t.teardown(async () => {
    await http.close();
    await connection.close();
    await db.close();
    await database.drop();
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${http.port}${path}`);
  t.is((await get('/healthz')).status, 503);

  const taskQueue = `telemetry-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../alerts/workflows.ts', import.meta.url)),
  });
  await worker.runUntil(async () => {
    polls = worker.getState() === 'RUNNING';
    await new Client({ connection }).workflow.execute('greeting', { taskQueue, workflowId: taskQueue });
    t.is((await get('/healthz')).status, 200);
    await until(async () => /temporal_workflow_completed_total\{/.test(await (await get('/metrics')).text()));
  });
  const text = await (await get('/metrics')).text();
  t.regex(text, /temporal_workflow_endtoend_latency_seconds_bucket\{/);
  t.regex(text, /temporal_workflow_task_schedule_to_start_latency_seconds_count\{/);
  t.regex(text, /^steadfast_dead_letters_parked\{source="notification"\} 1$/m);
  t.regex(text, /^steadfast_users_by_sync_status\{status="retry"\} 1$/m);
  t.regex(text, /^steadfast_pending_starts_waiting 0$/m);
  t.regex(text, /^steadfast_outgoing_log_lag_seconds 0$/m);
  t.regex(text, /^steadfast_database_up 1$/m);
  t.regex(text, /^process_cpu_seconds_total /m);
  t.is((await get('/other')).status, 404);
});

test('without the database the metrics say so and the rest is served', async (t) => {
  const system = openSystemDb({ url: 'postgresql://nobody@127.0.0.1:1/none', poolSize: 2, applicationName: 'test' });
  t.teardown(() => system.close());
  const text = await createMetrics({ system }).text();
  t.regex(text, /^steadfast_database_up 0$/m);
  t.notRegex(text, /^steadfast_users\{/m);
  t.regex(text, /^process_cpu_seconds_total /m);
});
