import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { createAuditActivities } from './src/activities/audits/audits.ts';
import { createBulkActivities } from './src/activities/bulk/users.ts';
import { createNotificationActivities } from './src/activities/notifications/deliver-notifications.ts';
import { createOrderActivities } from './src/activities/orders/order-activities.ts';
import { createProcessActivities } from './src/activities/process/process.ts';
import { createProfileActivities } from './src/activities/profile/profile.ts';
import { createRefundActivities } from './src/activities/orders/refund-activities.ts';
import { createUserSyncActivities } from './src/activities/user-sync/user-sync.ts';
import { createBus } from './src/messaging/create-bus.ts';
import { startMessageRelay } from './src/messaging/outbox/message-relay.ts';
import { parkInDeadLetters } from './src/messaging/dead-letters/park.ts';
import { subscribeSyncConfirmations } from './src/consumers/user-sync/sync-confirmations.ts';
import { loadProcessConfig, type Config } from './src/config/config.ts';
import { ConfigError } from './src/config/setting.ts';
import { openDb } from './src/postgres/client.ts';
import { defaultPorts } from './src/gateways/default-ports.ts';
import { waitForDatabase } from './src/db/wait-for-database.ts';
import { processType } from './src/domain/process/registry.ts';
import { createSmtpGateway } from './src/gateways/mail.ts';
import { smsGatewayOf } from './src/gateways/sms.ts';
import { createLogger } from './src/telemetry/logger.ts';
import { createMetrics } from './src/maintenance/metrics/metrics.ts';
import { createOutageLog } from './src/telemetry/outage-log.ts';
import { installRuntime } from './src/telemetry/runtime.ts';
import { startTracing } from './src/telemetry/tracing.ts';
import { startWorkerHttp } from './src/telemetry/worker-http.ts';
import { deploymentOptions, makeCurrent } from './src/temporal/deployment.ts';
import { createWorkflowRelay } from './src/messaging/outbox/workflow-relay.ts';
import { ensureSchedules } from './src/temporal/schedules.ts';
import { ensureSearchAttributes } from './src/temporal/search-attributes.ts';
import { traceActivity, traceCalls, traceSinks } from './src/temporal/tracing.ts';
import { waitForTemporal } from './src/temporal/wait-for-temporal.ts';
import { connectWorker } from './src/temporal/worker-connection.ts';
import { loadWorkflowBundle } from './src/temporal/workflow-bundle.ts';

const RETRY_MS = 1_000;
/** Longer than any pause between two attempts of what reads and relays logs. */
const QUIET_MS = 15_000;
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
  const { metricsUrl } = await installRuntime(config, logger);
  const db = openDb({
    url: requireDatabaseUrl(config),
    role: config.DATABASE_ROLE,
    poolSize: config.DATABASE_POOL_SIZE,
    applicationName: 'steadfast-worker',
  });
  const mail =
    config.SMTP_URL === undefined ? undefined : createSmtpGateway({ url: config.SMTP_URL, from: config.MAIL_FROM });
  await waitForDatabase(db, patience('PostgreSQL'));
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
  const metrics = createMetrics({ db });
  const ports = defaultPorts(config);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.TASK_QUEUE,
    workflowBundle: { codePath: bundle.codePath },
    ...(tracing === undefined ? {} : { sinks: traceSinks(tracing), interceptors: { activity: [traceActivity] } }),
    activities: {
      ...createProfileActivities({ db, config }),
      ...createUserSyncActivities({ db, config }),
      ...createProcessActivities({ db, config }),
      ...createOrderActivities({ db, config, processType, ...ports }),
      ...createRefundActivities({ db, processType, ...ports }),
      ...createAuditActivities({ db, client, config }),
      ...createBulkActivities({ db, client, config }),
      ...createNotificationActivities({
        db,
        config,
        mail,
        sms: smsGatewayOf(config),
        observe: (outcome) => metrics.notificationDeliveries.inc({ outcome }),
      }),
    },
    workerDeploymentOptions: deployment,
    shutdownGraceTime: config.WORKER_SHUTDOWN_GRACE_MS,
    maxCachedWorkflows: config.WORKFLOW_CACHE_SIZE,
    // Each writes its step through the pool: more in hand would wait there, and time out when all come at once.
    maxConcurrentWorkflowTaskExecutions: Math.min(2 * config.DATABASE_POOL_SIZE, config.WORKFLOW_CACHE_SIZE),
    maxConcurrentLocalActivityExecutions: 200,
    maxConcurrentActivityTaskExecutions: 200,
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
  });

  const logOutage = createOutageLog({
    logger,
    message: 'a log can not be read or relayed; trying again',
    quietMs: QUIET_MS,
  });
  const onError = (error: unknown): void => logOutage.failed(error);
  const bus = createBus({
    config,
    pool: db.pool,
    park: parkInDeadLetters(db),
    onError,
    onDelivery: ({ group, message: { topic, messageId }, outcome, error }) => {
      metrics.busDeliveries.inc({ group, outcome });
      if (error !== undefined)
        logger.warn({ group, topic, messageId, outcome, err: error }, 'a message could not be handled');
    },
  });
  const workflowRelay = createWorkflowRelay({ db, client, config, logger });
  workflowRelay.start();
  const messageRelay = startMessageRelay({
    db,
    bus,
    pollMs: config.BUS_POLL_MS,
    onError,
    onRelayed: ({ published, parked }) => {
      metrics.relayedMessages.inc({ outcome: 'published' }, published);
      metrics.relayedMessages.inc({ outcome: 'parked' }, parked);
    },
  });
  const confirmations = await subscribeSyncConfirmations({ bus, db });
  let isCurrent = !config.WORKER_MAKE_CURRENT;
  const http = await startWorkerHttp({
    host: config.HOST,
    port: config.WORKER_PORT,
    logger,
    sdkMetricsUrl: metricsUrl,
    metricsText: () => metrics.text(),
    isPolling: () => isCurrent && worker.getState() === 'RUNNING',
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
  await Promise.all([confirmations.stop(), messageRelay.stop(), workflowRelay.stop(), http.close()]);
  await bus.close();
  mail?.close();
  await connection.close();
  await db.close();
  await tracing?.stop();
  if (process.connected) process.disconnect();
}

function requireDatabaseUrl({ DATABASE_URL }: Config): string {
  if (DATABASE_URL === undefined)
    throw new ConfigError('DATABASE_URL: the worker alone needs it (npm start provides it)');
  return DATABASE_URL;
}
