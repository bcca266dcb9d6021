import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { loadConfig } from '../../src/config/config.ts';
import { startNode, type NodeCommand, type TestProcess } from '../../test/support/processes.ts';
import { openScope, type Scope } from '../../test/support/scope.ts';
import { step } from '../provisioning.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SECOND_DAYS = 1 / 86_400;

/** Days become seconds; nothing else differs from what runs in production. */
const SHORT_TIMES = {
  PROFILE_COMPLETION_DEADLINE_DAYS: String(20 * SECOND_DAYS),
  PROFILE_REMINDER_MARKS_DAYS: [12, 8, 4].map((seconds) => seconds * SECOND_DAYS).join(','),
  REMINDER_HOUR: '',
  SYNC_RETRY_DELAYS: '1000,2000,4000',
  SYNC_CONFIRMATION_TIMEOUT_MS: '5000',
  BUS_POLL_MS: '100',
  SYNC_SERVICES: 'accounting,portfolio',
  ADMIN_EMAILS: 'night-shift@example.com',
  DELIVERY_DEADLINE_DAYS: String(4 * SECOND_DAYS),
};

/** The product with two other teams' services beside it. */
export interface DemoInstallation {
  readonly apiUrl: string;
  readonly uiUrl: string;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Starts everything by `npm start`'s own launcher, on a data folder of the demo's; the services are installed as
 * another team would.
 */
export async function installDemo(): Promise<DemoInstallation> {
  const env = {
    ...Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
    ...SHORT_TIMES,
    DATABASE_URL: '',
    SYSTEM_DATABASE_URL: '',
    MIGRATION_DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    DATA_DIR: resolve(process.env['DATA_DIR'] ?? '.data', 'demo'),
    BUS: 'postgres',
  };
  const config = loadConfig(env);
  const scope = openScope();
  try {
    const folder = join(env.DATA_DIR, 'service');
    await step('Packing and installing the helper as another team does', () => installService(folder));
    const launcher = run(scope, { args: ['tools/start.ts'], env });
    await step('Starting Steadfast with seconds for days', () => launcher.printed(/Steadfast is ready\./));
    const password = readFileSync(join(env.DATA_DIR, 'postgres-password'), 'utf8').trim();
    const databaseUrl = `postgresql://postgres:${password}@127.0.0.1:${config.POSTGRES_PORT}`;
    for (const [index, service] of ['accounting', 'portfolio'].entries()) {
      const child = run(scope, {
        args: ['main.ts'],
        cwd: folder,
        env: {
          ...env,
          SERVICE: service,
          PORT: String(config.PORT + 1_001 + index),
          FAIL: service === 'portfolio' ? '2' : '0',
          DATABASE_URL: await databaseOf(databaseUrl, service),
          BUS_DATABASE_URL: busUrl(databaseUrl, service),
        },
      });
      await step(`Starting the service ${service}${service === 'portfolio' ? ', which fails twice' : ''}`, () =>
        child.printed(/listens/),
      );
    }
    return {
      apiUrl: `http://127.0.0.1:${config.PORT}`,
      uiUrl: `http://127.0.0.1:${config.TEMPORAL_UI_PORT}`,
      env,
      close: () => scope.close(),
    };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

/** The example service with the packed helper, outside of this repository's modules. */
async function installService(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, 'examples/accounting-service'), folder, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  await promisify(execFile)('npm', ['pack', './packages/sync-helper', '--pack-destination', folder], { cwd: root });
  await promisify(execFile)('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
  });
}

/** A database and a login of the service's own; its rights on the bus are those of every other team. */
async function databaseOf(url: string, service: string): Promise<string> {
  const client = new pg.Client({ connectionString: `${url}/steadfast` });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [service]);
    if (rowCount === 0)
      await client.query(
        `CREATE ROLE ${service} LOGIN PASSWORD '${service}'; GRANT steadfast_bus_member TO ${service}`,
      );
    const { rowCount: databases } = await client.query('SELECT FROM pg_database WHERE datname = $1', [service]);
    if (databases === 0) await client.query(`CREATE DATABASE ${service} OWNER ${service}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(`${url}/${service}`), { username: service, password: service }).href;
}

function busUrl(url: string, service: string): string {
  return Object.assign(new URL(`${url}/steadfast`), { username: service, password: service }).href;
}

// In a group of its own: Ctrl-C reaches the demo alone, which stops everything in order.
function run(scope: Scope, command: Pick<NodeCommand, 'args' | 'cwd' | 'env'>): TestProcess {
  return startNode(scope, { ...command, isDetached: true, endSignal: 'SIGTERM' });
}
