import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program with its arguments and the user that it must run as. */
export interface Command {
  file: string;
  args: string[];
  uid?: number;
  gid?: number;
}

/** The user and group of PostgreSQL's own. */
export interface PostgresUser {
  uid: number;
  gid: number;
}

/**
 * The user that PostgreSQL runs as when we are root, whom it refuses; made when it is missing. Undefined: ourselves.
 */
export async function postgresUser(): Promise<PostgresUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const exists = await id('-u').then(
    () => true,
    () => false,
  );
  if (!exists) {
    await run('groupadd', ['-f', 'postgres']);
    await run('useradd', ['-g', 'postgres', 'postgres']);
  }
  return { uid: await id('-u'), gid: await id('-g') };
}

/**
 * The command run as that user. Where the user may not pass to the program or to `paths` (a checkout in root's home),
 * it keeps of root's rights the one to pass.
 */
export async function asPostgresUser(
  user: PostgresUser | undefined,
  { file, args }: Command,
  paths: string[],
): Promise<Command> {
  if (user === undefined) return { file, args };
  const passable = await Promise.all([file, ...paths].map((path) => mayPass(user, dirname(path))));
  if (passable.every(Boolean)) return { file, args, ...user };
  // Without this bit the kernel leaves the right out of access(2), by which PostgreSQL looks for its programs.
  const rights = [
    '--securebits=+no_setuid_fixup',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
  ];
  return { file: 'setpriv', args: [...rights, '--', file, ...args] };
}

async function mayPass(user: PostgresUser, folder: string): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  return dirname(folder) === folder || mayPass(user, dirname(folder));
}
