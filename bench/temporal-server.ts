import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasNamespace } from '../tools/launcher/temporal.ts';
import { cached, run, step } from '../tools/provisioning.mjs';
import { provideTemporalCli } from '../tools/temporal-cli.mjs';
import { until } from '../test/support/until.ts';

const MODULE = fileURLToPath(new URL('temporal-server/', import.meta.url));
const NAME = 'temporal-server-1.31.2';
const STORES = [
  ['temporal', 'temporal'],
  ['temporal_visibility', 'visibility'],
] as const;

/** A Temporal Server as one runs it in production, on PostgreSQL. */
export interface TemporalServer {
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts Temporal Server 1.31 on the PostgreSQL of `postgresUrl`, in databases of its own; builds it with Go the first
 * time.
 */
export async function startTemporalServer(postgresUrl: string): Promise<TemporalServer> {
  const programs = await step('Building Temporal Server with Go, once (about 4 minutes)', () => cached(NAME, build));
  const postgres = new URL(postgresUrl);
  await createStores(programs, postgres);
  const folder = await mkdtemp(join(tmpdir(), 'steadfast-temporal-'));
  const port = await lowPort();
  await writeFile(
    join(folder, 'bench.yaml'),
    JSON.stringify(await configuration(postgres, port, join(folder, 'dynamic.yaml'))),
  );
  await writeFile(join(folder, 'dynamic.yaml'), '');
  const child = spawn(
    join(programs, 'temporal-server'),
    ['--root', '/', '--config', folder.slice(1), '--env', 'bench', 'start'],
    { stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  const address = `127.0.0.1:${port}`;
  await registerNamespace(address);
  return { address, pid: child.pid ?? 0, stop };
}

async function build(folder: string): Promise<void> {
  for (const [name, path] of [
    ['temporal-server', 'cmd/server'],
    ['temporal-sql-tool', 'cmd/tools/sql'],
  ] as const) {
    await run('go', ['build', '-ldflags=-s -w', '-o', join(folder, name), `go.temporal.io/server/${path}`], {
      cwd: MODULE,
    });
  }
}

async function createStores(programs: string, { hostname, port, username, password }: URL): Promise<void> {
  const source = (await run('go', ['list', '-m', '-f', '{{.Dir}}', 'go.temporal.io/server'], { cwd: MODULE })).trim();
  for (const [database, schema] of STORES) {
    const tool = (...args: string[]) =>
      run(join(programs, 'temporal-sql-tool'), [
        '--plugin',
        'postgres12',
        '--endpoint',
        hostname,
        '--port',
        port,
        '--user',
        username,
        '--password',
        password,
        '--database',
        database,
        ...args,
      ]);
    await tool('create');
    await tool('setup-schema', '-v', '0.0');
    await tool('update-schema', '-d', join(source, 'schema', 'postgresql', 'v12', schema, 'versioned'));
  }
}

/** After the server's own `development-postgres12.yaml`, on ports that are free. */
async function configuration(
  { host, username, password }: URL,
  grpcPort: number,
  dynamicConfig: string,
): Promise<object> {
  const sql = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: host,
      connectProtocol: 'tcp',
      user: username,
      password,
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const service = async (port?: number) => ({
    rpc: { grpcPort: port ?? (await lowPort()), membershipPort: await lowPort(), bindOnLocalHost: true },
  });
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'main',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { main: sql('temporal', 20), visibility: sql('temporal_visibility', 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: await service(grpcPort),
      matching: await service(),
      history: await service(),
      worker: await service(),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${grpcPort}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfig, pollInterval: '60s' },
  };
}

/** A free port that fits the 16 bits with a sign in which the server keeps those of its services. */
async function lowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) =>
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)),
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** The server takes a while to answer, and then a while to know its namespace. */
async function registerNamespace(address: string): Promise<void> {
  const cli = await provideTemporalCli();
  const namespace = (command: string): Promise<boolean> =>
    run(cli, ['operator', 'namespace', command, 'default', '--address', address]).then(
      () => true,
      () => false,
    );
  await until(async () => (await namespace('create')) || (await namespace('describe')), {
    what: 'Temporal Server',
    timeoutMs: 60_000,
  });
  await until(() => hasNamespace(address, 'default').catch(() => false), { what: 'its namespace', timeoutMs: 60_000 });
}
