import { createServer, type Server } from 'node:http';
import { createAlertLoop } from './src/alerts/alert-loop.ts';
import { createApi } from './src/composition/api.ts';
import { openDatabases } from './src/composition/database.ts';
import { createGateways } from './src/composition/gateways.ts';
import { createPublisher } from './src/messaging/create-bus.ts';
import { assertIdentityProvider } from './src/config/auth.ts';
import { loadProcessConfig, type Config } from './src/config/config.ts';
import { ConfigError } from './src/config/setting.ts';
import { waitForDatabase } from './src/db/wait-for-database.ts';
import { listen } from './src/telemetry/listen.ts';
import { createLogger } from './src/telemetry/logger.ts';
import { startMetricsServer } from './src/telemetry/metrics-server.ts';
import { createMetrics } from './src/maintenance/metrics/metrics.ts';
import { startTracing } from './src/telemetry/tracing.ts';
import { createClient } from './src/temporal/connection.ts';
import { createWorkflowRelay } from './src/messaging/outbox/workflow-relay.ts';

const DRAIN_MS = 5_000;
const RETRY_MS = 1_000;

try {
  await runApi(loadProcessConfig());
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** Builds every dependency, serves until a signal or the launcher's end, and stops everything in order. */
async function runApi(config: Config): Promise<void> {
  assertIdentityProvider(config);
  const logger = createLogger(config, 'api');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => stopping.abort());

  const tracing = await startTracing(config, 'steadfast-api');
  const { db, system } = openDatabases(config, 'api');
  const client = createClient();
  const gateways = createGateways(config);
  const bus = createPublisher({ config, pool: db.pool });
  const workflowRelay = createWorkflowRelay({ system, client, config, logger });
  const alerts = createAlertLoop({ system, client, config, mail: gateways.mail, logger });
  const metrics = createMetrics({ system });
  let isDatabaseChecked = false;
  const { app, events } = await createApi({
    config,
    db,
    client,
    bus,
    gateways,
    logger,
    metrics,
    wakeOutboxRelay: () => workflowRelay.wake(),
    isDatabaseChecked: () => isDatabaseChecked,
  });
  const server = createServer(app);

  const metricsServer =
    config.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer({
          host: config.METRICS_HOST,
          port: config.METRICS_PORT,
          setting: 'METRICS_PORT',
          metricsText: () => metrics.text(),
          logger,
        });
  await listen(server, { host: config.HOST, port: config.PORT, setting: 'PORT' });
  logger.info({ port: config.PORT }, 'the API listens');
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    // While PostgreSQL is away the API serves with /readyz red, and until its role was checked nothing but health.
    await waitForDatabase({ db, system }, { delayMs: RETRY_MS, signal: stopping.signal }).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    isDatabaseChecked = true;
    workflowRelay.start();
    alerts.start();
    await stopped;
  } finally {
    await Promise.all([events.stop(), close(server), metricsServer?.close()]);
    await Promise.all([alerts.stop(), workflowRelay.stop()]);
    await bus.close();
    gateways.close();
    await client.connection.close();
    await Promise.all([db.close(), system.close()]);
    await tracing?.stop();
    if (process.connected) process.disconnect();
  }
}

/** Lets the requests in hand finish, for a while. */
async function close(server: Server): Promise<void> {
  const hurry = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(hurry);
}
