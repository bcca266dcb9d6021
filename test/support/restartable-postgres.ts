import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterCommand, clusterUrl, createCluster } from '../../tools/embedded-postgres.ts';
import { giveLogins } from '../../tools/logins.ts';
import { migrate } from '../../tools/migrate.ts';
import { freePort } from './services.ts';
import { until } from './until.ts';
import pg from 'pg';

/** A cluster with our tables that can be killed and started again. */
export interface RestartablePostgres {
  /** The superuser's URL. */
  readonly url: string;
  /** Kills every process of it, as a lost machine would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts a migrated cluster of the caller's own. */
export async function startRestartablePostgres(): Promise<RestartablePostgres> {
  const parent = await mkdtemp(join(tmpdir(), 'steadfast-outage-'));
  await chmod(parent, 0o755);
  const cluster = {
    folder: join(parent, 'data'),
    port: await freePort(),
    password: randomBytes(18).toString('base64url'),
  };
  const url = clusterUrl(cluster);
  await createCluster(cluster);
  let child: ChildProcess | undefined;

  const start = async () => {
    const { file, args, ...ids } = await clusterCommand(cluster, { max_connections: '50' });
    child = spawn(file, args, { ...ids, cwd: '/', stdio: 'ignore' });
    await until(() => answers(url), { what: 'PostgreSQL' });
  };
  // SIGQUIT is the server's immediate shutdown: no farewell to clients, recovery at the next start.
  const kill = async () => {
    if (child?.exitCode === null && child.kill('SIGQUIT')) await once(child, 'exit');
  };
  await start();
  await migrate({ databaseUrl: url });
  await giveLogins(url, () => cluster.password);
  return {
    url,
    start,
    kill,
    remove: async () => {
      await kill();
      await rm(parent, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
