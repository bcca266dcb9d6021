import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { clusterCommand, clusterUrl, createCluster } from './embedded-postgres.ts';
import { freePort } from './free-port.ts';

/** A running cluster that leaves nothing behind. */
export interface TemporaryPostgres {
  /** The superuser's URL of the maintenance database. */
  url: string;
  stop: () => Promise<void>;
}

/** Starts PostgreSQL in a temporary folder, without the care for durability that tests have no use for. */
export async function startTemporaryPostgres(): Promise<TemporaryPostgres> {
  const parent = await mkdtemp(join(tmpdir(), 'steadfast-postgres-'));
  await chmod(parent, 0o755);
  const cluster = { folder: join(parent, 'data'), port: await freePort(), password: randomBytes(18).toString('base64url') };
  await createCluster(cluster);
  const { file, args, ...ids } = await clusterCommand(cluster, {
    fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300',
  });
  const child = spawn(file, args, { ...ids, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => { log = `${log}${chunk}`.slice(-4000); });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = clusterUrl(cluster);
  const stop = async () => {
    child.kill('SIGQUIT');
    await exited;
    await rm(parent, { recursive: true, force: true });
  };
  try {
    await answering(url, child);
  } catch (error) {
    await stop();
    throw new Error(`the temporary PostgreSQL did not start: ${log}`, { cause: error });
  }
  return { url, stop };
}

async function answering(url: string, child: { exitCode: number | null }): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
