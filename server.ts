import { createServer, type Server } from 'node:http';
import { createAlertLoop } from './src/alerts/alert-loop.ts';
import { createApp } from './src/api/app.ts';
import { createEventFeed } from './src/realtime/event-feed.ts';
import { replayHandlers } from './src/api/operations/replay-handlers.ts';
import { createTokenVerifier } from './src/auth/tokens.ts';
import { createBus } from './src/messaging/create-bus.ts';
import { createReplayer } from './src/messaging/dead-letters/replay.ts';
import { parkInDeadLetters } from './src/messaging/dead-letters/park.ts';
import { loadProcessConfig, type Config } from './src/config/config.ts';
import { ConfigError } from './src/config/setting.ts';
import { openDb } from './src/postgres/client.ts';
import { waitForDatabase } from './src/db/wait-for-database.ts';
import { createSmtpGateway } from './src/gateways/mail.ts';
import { smsGatewayOf } from './src/gateways/sms.ts';
import { createLogger } from './src/telemetry/logger.ts';
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
  if (config.DATABASE_URL === undefined)
    throw new ConfigError('DATABASE_URL: the API alone needs it (npm start provides it)');
  const logger = createLogger(config, 'api');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => stopping.abort());

  const tracing = await startTracing(config, 'steadfast-api');
  const db = openDb({
    url: config.DATABASE_URL,
    role: config.DATABASE_ROLE,
    poolSize: config.DATABASE_POOL_SIZE,
    applicationName: 'steadfast-api',
  });
  const temporal = createClient();
  const mail =
    config.SMTP_URL === undefined ? undefined : createSmtpGateway({ url: config.SMTP_URL, from: config.MAIL_FROM });
  const bus = createBus({ config, pool: db.pool, park: parkInDeadLetters(db) });
  const workflowRelay = createWorkflowRelay({ db, client: temporal, config, logger });
  const alerts = createAlertLoop({ db, client: temporal, config, mail, logger });
  const events = createEventFeed({ pool: db.pool, pollMs: config.BUS_POLL_MS, logger });
  const server = createServer(
    createApp({
      config,
      db,
      temporal,
      log: logger,
      events,
      metrics: createMetrics({ db }),
      verifyToken: await createTokenVerifier(config),
      replayer: createReplayer({ db, handlers: replayHandlers({ db, bus, mail, sms: smsGatewayOf(config), config }) }),
      wakeOutboxRelay: () => workflowRelay.wake(),
      isBusHealthy: () => bus.isHealthy(),
    }),
  );

  await listen(server, config);
  logger.info({ port: config.PORT }, 'the API listens');
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    // While PostgreSQL is away the API serves with /readyz red.
    await waitForDatabase(db, { delayMs: RETRY_MS, signal: stopping.signal }).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    workflowRelay.start();
    alerts.start();
    await stopped;
  } finally {
    await Promise.all([events.stop(), close(server)]);
    await Promise.all([alerts.stop(), workflowRelay.stop()]);
    await bus.close();
    mail?.close();
    await temporal.connection.close();
    await db.close();
    await tracing?.stop();
    if (process.connected) process.disconnect();
  }
}

async function listen(server: Server, { HOST, PORT }: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        'code' in error && error.code === 'EADDRINUSE' ? new ConfigError(`PORT: ${PORT} on ${HOST} is taken`) : error,
      ),
    );
    server.listen(PORT, HOST, resolve);
  });
}

/** Lets the requests in hand finish, for a while. */
async function close(server: Server): Promise<void> {
  const hurry = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(hurry);
}
