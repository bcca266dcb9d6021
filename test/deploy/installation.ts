import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { startTemporaryPostgres } from '../../tools/temporary-postgres.ts';
import { freePort, temporalAddress } from '../support/services.ts';
import { until } from '../support/until.ts';
import { readComposeFile, ROOT, type ComposeService } from './compose-file.ts';

/** What a person writes into the file of passwords. */
export const PASSWORDS = {
  POSTGRES_PASSWORD: 'superuser',
  STEADFAST_OWNER_PASSWORD: 'owner',
  STEADFAST_LOGIN_PASSWORD: 'login',
  STEADFAST_SYSTEM_PASSWORD: 'system',
  TEMPORAL_DB_PASSWORD: 'temporal',
  GRAFANA_PASSWORD: 'grafana',
  ALLOW_LOCAL_KEYS: 'true',
};

/** The services of docker-compose.yml with passwords in it. */
export const SERVICES = readComposeFile(PASSWORDS).services;

/**
 * What runs on this machine as docker-compose.yml would have it run: a database made by its script, migrated by its
 * job, two API nodes, a worker.
 */
export interface Installation {
  readonly apiUrls: readonly [string, string];
  /** Where each process shows its metrics. */
  readonly metricsUrls: readonly string[];
  /** The application's own connection to the database. */
  readonly loginUrl: string;
  /** Runs a command as `docker compose run api` would, and gives what it prints. */
  run(command: readonly string[]): Promise<string>;
  /** One query as the database's superuser. */
  query(statement: string, values?: readonly unknown[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the commands of the file with its environment and `settings`; only hosts, ports and the namespace are this
 * machine's.
 */
export async function startInstallation(settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const postgres = await startTemporaryPostgres();
  const dataDir = await mkdtemp(join(tmpdir(), 'steadfast-deploy-'));
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map(end));
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const superuserUrl = await initialise(postgres.url);
    const namespace = await createNamespace();
    const start = async (name: 'api' | 'worker') => {
      const port = await freePort();
      const metricsPort = name === 'api' ? await freePort() : port;
      const { command = [], environment } = service(name);
      const ports = name === 'api' ? { PORT: port, METRICS_PORT: metricsPort } : { WORKER_PORT: port };
      const changed = { ...environment, ...settings, ...texts(ports) };
      children.push(launch(command, hosted(changed, { superuserUrl, namespace, dataDir })));
      const health = new URL(probeUrl(name));
      health.port = String(port);
      await until(() => succeeds(['node', 'deploy/probe.ts', health.href]), {
        what: `${name} at ${health.href}`,
        timeoutMs: 60_000,
      });
      return { url: health.origin, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` };
    };
    const run = async (command: readonly string[], environment: ComposeService['environment']) => {
      const child = launch(command, hosted(environment, { superuserUrl, namespace, dataDir }));
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      const [code]: unknown[] = await once(child, 'close');
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`);
      return output;
    };
    await run(service('migrate').command ?? [], service('migrate').environment);
    const [worker, first, second] = await Promise.all([start('worker'), start('api'), start('api')]);
    return {
      apiUrls: [first.url, second.url],
      metricsUrls: [worker, first, second].map(({ metricsUrl }) => metricsUrl),
      stop,
      loginUrl: hosted(service('api').environment, { superuserUrl, namespace, dataDir })['DATABASE_URL'] ?? '',
      run: (command) => run(command, service('api').environment),
      query: (statement, values = []) =>
        withClient(superuserUrl, async (client) => {
          await client.query(statement, [...values]);
        }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A service of the file by its name. */
export function service(name: string): ComposeService {
  const found = SERVICES[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** The address that a service's health check asks. */
export function probeUrl(name: string): string {
  const { healthcheck } = service(name);
  const url =
    healthcheck !== undefined && 'test' in healthcheck
      ? healthcheck.test.find((word) => word.startsWith('http'))
      : undefined;
  if (url === undefined) throw new Error(`the health check of ${name} asks no address`);
  return url;
}

/**
 * Runs deploy/postgres/init.sql as psql does: `\getenv` reads a variable, `:'name'` puts it in as a literal. Returns
 * the URL of the database it makes.
 */
async function initialise(maintenanceUrl: string): Promise<string> {
  const script = await readFile(`${ROOT}/deploy/postgres/init.sql`, 'utf8');
  const variables = new Map(
    [...script.matchAll(/^\\getenv (\w+) (\w+)$/gm)].map(([, name, from]) => [
      name,
      service('app-db').environment[from!],
    ]),
  );
  const statements = script
    .replace(/^\\getenv .*$/gm, '')
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter(Boolean);
  await withClient(maintenanceUrl, async (client) => {
    for (const statement of statements)
      await client.query(
        statement.replace(/:'(\w+)'/g, (_all, name: string) => pg.escapeLiteral(variables.get(name) ?? '')),
      );
  });
  const url = new URL(maintenanceUrl);
  url.pathname = '/steadfast';
  return url.href;
}

async function createNamespace(): Promise<string> {
  const namespace = `deploy-${randomUUID()}`;
  const connection = await Connection.connect({ address: temporalAddress() });
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  await until(
    () =>
      connection.workflowService.describeNamespace({ namespace }).then(
        () => true,
        () => false,
      ),
    { what: 'the namespace' },
  );
  await connection.close();
  return namespace;
}

/** The environment with the addresses that hold on this machine, and without Kafka, which test/bus has. */
function hosted(
  environment: ComposeService['environment'],
  { superuserUrl, namespace, dataDir }: { superuserUrl: string; namespace: string; dataDir: string },
): Record<string, string> {
  const here = (value: string): string => value.replace('@app-db:5432', `@${new URL(superuserUrl).host}`);
  return {
    ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, here(value)])),
    BUS: 'postgres',
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: namespace,
    SMTP_URL: 'smtp://127.0.0.1:1',
    HOST: '127.0.0.1',
    METRICS_HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
  };
}

function texts(values: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function launch([program, ...args]: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  if (program !== 'node') throw new Error(`the image's command is node, not ${program}`);
  const { PATH, HOME, TMPDIR } = process.env;
  return spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  const [code]: unknown[] = await once(launch(command, {}), 'close');
  return code === 0;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await once(child, 'exit');
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
