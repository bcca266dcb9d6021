import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { createActivities } from './src/activities/create-activities.ts';
import { openDatabases } from './src/composition/database.ts';
import { createSubjectHash } from './src/auth/subject-hash.ts';
import { createGateways } from './src/composition/gateways.ts';
import { startMessaging } from './src/composition/messaging.ts';
import { createWorker } from './src/composition/worker.ts';
import { assertSubjectHash } from './src/config/auth.ts';
import { loadProcessConfig, type Config } from './src/config/config.ts';
import { ConfigError } from './src/config/setting.ts';
import { waitForDatabase } from './src/db/wait-for-database.ts';
import { createMetrics } from './src/maintenance/metrics/metrics.ts';
import { createLogger } from './src/telemetry/logger.ts';
import { startMetricsServer } from './src/telemetry/metrics-server.ts';
import { installRuntime } from './src/telemetry/runtime.ts';
import { startTracing } from './src/telemetry/tracing.ts';
import { deploymentOptions, makeCurrent } from './src/temporal/deployment.ts';
import { ensureSchedules } from './src/temporal/schedules.ts';
import { ensureSearchAttributes } from './src/temporal/search-attributes.ts';
import { traceCalls } from './src/temporal/tracing.ts';
import { waitForTemporal } from './src/temporal/wait-for-temporal.ts';
import { connectWorker } from './src/temporal/worker-connection.ts';
import { loadWorkflowBundle } from './src/temporal/workflow-bundle.ts';

const RETRY_MS = 1_000;
const VERSION_POLL_MS = 100;

try {
  await runWorker(loadProcessConfig());
} catch (error) {
  // Stopped while it waited for PostgreSQL or Temporal
  if (error instanceof Error && error.name === 'AbortError') process.exit(0);
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** Builds every dependency, polls until a signal or the launcher's end, and stops everything in order. */
async function runWorker(config: Config): Promise<void> {
  assertSubjectHash(config);
  const logger = createLogger(config, 'worker');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => stopping.abort());
  const patience = (what: string) => ({
    delayMs: RETRY_MS,
    signal: stopping.signal,
    onFailure: (err: unknown, isFirst: boolean) =>
      logger[isFirst ? 'warn' : 'debug']({ err }, `${what} is not reachable; trying again`),
  });

  const tracing = await startTracing(config, 'steadfast-worker');
  const { sdkMetrics } = await installRuntime(config, logger);
  const { db, system } = openDatabases(config, 'worker');
  const gateways = createGateways(config);
  await waitForDatabase({ db, system }, patience('PostgreSQL'));
  const { connection, namespace } = await waitForTemporal(connectWorker, patience('Temporal'));
  const client = new Client({ connection, namespace, interceptors: { workflow: [traceCalls] } });
  await waitForTemporal(async () => {
    await ensureSearchAttributes(connection, namespace);
    await ensureSchedules(client, config);
  }, patience('Temporal'));

  const bundle = await loadWorkflowBundle(config.WORKFLOW_BUNDLE_DIR ?? join(config.DATA_DIR, 'bundles'), {
    isTraced: tracing !== undefined,
  });
  const deployment = deploymentOptions(config, bundle.sourceHash);
  const metrics = createMetrics({ system });
  const worker = await createWorker({
    config,
    connection,
    namespace,
    codePath: bundle.codePath,
    activities: createActivities({
      db,
      system,
      client,
      config,
      gateways,
      subjectHash: await createSubjectHash(config),
      observe: (outcome) => metrics.notificationDeliveries.inc({ outcome }),
    }),
    deployment,
    tracing,
  });
  const messaging = await startMessaging({ config, db, system, client, logger, metrics, ports: gateways });
  let isCurrent = !config.WORKER_MAKE_CURRENT;
  const http = await startMetricsServer({
    host: config.HOST,
    port: config.WORKER_PORT,
    setting: 'WORKER_PORT',
    metricsText: async () => `${await metrics.text()}\n${await sdkMetrics()}`,
    isPolling: () => isCurrent && worker.getState() === 'RUNNING',
    logger,
  });

  const polling = worker.run();
  stopping.signal.addEventListener('abort', () => worker.shutdown());
  if (stopping.signal.aborted) worker.shutdown();
  while (!isCurrent && !stopping.signal.aborted) {
    const made = await waitForTemporal(() => makeCurrent(connection, namespace, deployment), patience('Temporal'));
    if (made === 'newer')
      logger.warn(
        { buildId: deployment.version.buildId },
        'a newer version is current; this worker serves what is pinned to its own',
      );
    isCurrent = made !== 'unknown';
    if (!isCurrent) await wait(VERSION_POLL_MS);
  }
  if (isCurrent) logger.info({ taskQueue: config.TASK_QUEUE, buildId: deployment.version.buildId }, 'the worker polls');

  await polling;
  await Promise.all([messaging.stop(), http.close()]);
  gateways.close();
  await connection.close();
  await Promise.all([db.close(), system.close()]);
  await tracing?.stop();
  if (process.connected) process.disconnect();
}
