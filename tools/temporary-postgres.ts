import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
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

/**
 * Starts PostgreSQL in a temporary folder; without `isDurable` it leaves out the care for durability that tests have no
 * use for.
 */
export async function startTemporaryPostgres({ isDurable = false } = {}): Promise<TemporaryPostgres> {
  const parent = mkdtempSync(join(tmpdir(), 'steadfast-postgres-'));
  let child: ChildProcess | undefined;
  const discard = () => {
    child?.kill('SIGQUIT');
    rmSync(parent, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', discard);
  const stop = async () => {
    if (child?.exitCode === null && child.kill('SIGQUIT')) await once(child, 'exit');
    process.off('exit', discard);
    discard();
  };

  let log = '';
  try {
    chmodSync(parent, 0o755);
    const cluster = {
      folder: join(parent, 'data'),
      port: await freePort(),
      password: randomBytes(18).toString('base64url'),
    };
    await createCluster(cluster);
    const { file, args, ...ids } = await clusterCommand(cluster, {
      max_connections: '300',
      ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    });
    child = spawn(file, args, { ...ids, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4000);
    });
    await answering(clusterUrl(cluster), child);
    return { url: clusterUrl(cluster), stop };
  } catch (error) {
    await stop();
    throw new Error(`the temporary PostgreSQL did not start: ${log}`, { cause: error });
  }
}

async function answering(url: string, child: ChildProcess): Promise<void> {
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
