import { join, resolve } from 'node:path';
import { loadProcessConfig, type Config } from '../../src/config/config.ts';
import { giveLogins, type LoginUrls } from '../logins.ts';
import { migrate } from '../migrate.ts';
import { step } from '../provisioning.mjs';
import { closeDataFolder } from './data-folder.ts';
import { httpUrl, LOOPBACK } from './addresses.ts';
import { nodeService } from './node-services.ts';
import { panel } from './panel.ts';
import { requireFreePorts, type WantedPort } from './ports.ts';
import { embeddedPostgres, ensureDatabase, readOrMakePassword } from './postgres.ts';
import { openRunFolder } from './run-folder.ts';
import { supervise, type Service, type Supervised } from './supervisor.ts';
import { chooseTemporal, type TemporalChoice } from './temporal-choice.ts';
import { temporalDevServer } from './temporal.ts';

const API_STOP_MS = 15_000;

/**
 * Runs the whole product until `stop` fires or a part cannot be kept running; `hurry` cuts the deadlines of stopping
 * short.
 */
export async function launch({ stop, hurry }: { stop: AbortSignal; hurry: AbortSignal }): Promise<void> {
  const typedDataDir = process.env['DATA_DIR'];
  const config = loadProcessConfig();
  const dataDir = resolve(config.DATA_DIR);
  closeDataFolder(dataDir);
  const run = openRunFolder(dataDir);
  const left = await run.stopLeftovers();
  if (left.length > 0) console.log(`Stopped what an earlier launch had left running: ${left.join(', ')}.`);
  const temporal = chooseTemporal({ dataDir, port: config.TEMPORAL_PORT });
  await requireFreePorts(wantedPorts(config, temporal));

  const failure = new AbortController();
  const over = AbortSignal.any([stop, failure.signal]);
  const running: Supervised[] = [];
  const surroundings = {
    logFolder: join(dataDir, 'logs'),
    run,
    report: (line: string) => console.log(line),
    giveUp: (reason: Error) => failure.abort(reason),
  };
  const start = async (title: string, service: Service) => {
    over.throwIfAborted();
    const supervised = supervise(service, surroundings);
    running.push(supervised);
    await step(`Starting ${title}`, () => Promise.race([supervised.ready, aborted(over)]));
  };

  try {
    const databaseUrl = config.DATABASE_URL ?? (await startPostgres(config, dataDir, start));
    over.throwIfAborted();
    await step('Applying migrations', () => migrate({ databaseUrl: config.MIGRATION_DATABASE_URL ?? databaseUrl }));
    const logins = await loginsOf(config, { databaseUrl, dataDir });

    if (temporal.isOurs) await start('the Temporal dev server', devServer(config, dataDir, temporal));

    const env = { ...temporal.env, ...logins, DATA_DIR: dataDir };
    await start(
      'the worker',
      nodeService({
        name: 'worker',
        script: 'worker.ts',
        env,
        healthUrl: `${httpUrl(config.HOST, config.WORKER_PORT)}/healthz`,
        stopTimeoutMs: config.WORKER_SHUTDOWN_GRACE_MS + 10_000,
      }),
    );
    const apiUrl = httpUrl(config.HOST, config.PORT);
    await start(
      'the API',
      nodeService({ name: 'api', script: 'server.ts', env, healthUrl: `${apiUrl}/readyz`, stopTimeoutMs: API_STOP_MS }),
    );

    console.log(
      panel({
        apiUrl,
        uiUrl: temporal.isOurs ? httpUrl(LOOPBACK, config.TEMPORAL_UI_PORT) : undefined,
        temporalAddress: temporal.address,
        dataDir,
        environment: typedDataDir === undefined ? '' : `DATA_DIR='${dataDir}' `,
      }),
    );
    await aborted(over);
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    await stopAll(running, hurry);
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

async function startPostgres(
  config: Config,
  dataDir: string,
  start: (title: string, service: Service) => Promise<void>,
): Promise<string> {
  const { service, url } = await embeddedPostgres({ dataDir, port: config.POSTGRES_PORT });
  await start('PostgreSQL', service);
  await ensureDatabase(url);
  return url;
}

/** Those that the settings name; else both roles get passwords of their own, by the URL that migrates. */
async function loginsOf(
  { MIGRATION_DATABASE_URL, SYSTEM_DATABASE_URL }: Config,
  { databaseUrl, dataDir }: { databaseUrl: string; dataDir: string },
): Promise<LoginUrls> {
  if (SYSTEM_DATABASE_URL !== undefined) return { DATABASE_URL: databaseUrl, SYSTEM_DATABASE_URL };
  return giveLogins(MIGRATION_DATABASE_URL ?? databaseUrl, (role) =>
    readOrMakePassword(join(dataDir, `postgres-password-of-${role}`)),
  );
}

function devServer(config: Config, dataDir: string, { namespace }: TemporalChoice): Service {
  return temporalDevServer({ dataDir, port: config.TEMPORAL_PORT, uiPort: config.TEMPORAL_UI_PORT, namespace });
}

function wantedPorts(config: Config, temporal: TemporalChoice): WantedPort[] {
  const loopback = (setting: 'POSTGRES_PORT' | 'TEMPORAL_PORT' | 'TEMPORAL_UI_PORT') => ({
    setting,
    port: config[setting],
    host: LOOPBACK,
  });
  return [
    { setting: 'PORT', port: config.PORT, host: config.HOST },
    { setting: 'WORKER_PORT', port: config.WORKER_PORT, host: config.HOST },
    ...(config.METRICS_PORT === undefined
      ? []
      : [{ setting: 'METRICS_PORT', port: config.METRICS_PORT, host: config.METRICS_HOST }]),
    ...(config.DATABASE_URL === undefined ? [loopback('POSTGRES_PORT')] : []),
    ...(temporal.isOurs ? [loopback('TEMPORAL_PORT'), loopback('TEMPORAL_UI_PORT')] : []),
  ];
}

async function stopAll(running: Supervised[], hurry: AbortSignal): Promise<void> {
  for (const service of running.toReversed()) {
    console.log(`Stopping ${service.name} …`);
    await service.stop(hurry);
  }
  console.log('Stopped.');
}
