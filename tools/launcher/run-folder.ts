import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { end, isRunning, remember, type Remembered } from './processes.ts';

const record = z.object({ pid: z.number().int().positive(), identity: z.string() });
const LEFTOVER_STOP_MS = 10_000;

/** Which processes this data folder has running. */
export interface RunFolder {
  /** Remembers a child, so that the next launch can stop it should this one be killed. */
  add(name: string, pid: number): void;
  remove(name: string): void;
  /** Stops the children that a killed launcher left behind and returns their names. */
  stopLeftovers(): Promise<string[]>;
}

/** Takes the data folder for this launcher alone; throws when another one that lives has it. */
export function openRunFolder(dataDir: string): RunFolder {
  const folder = join(dataDir, 'run');
  mkdirSync(folder, { recursive: true });
  lock(join(folder, 'launcher.json'));
  const file = (name: string) => join(folder, `${name}.json`);
  return {
    add: (name, pid) => writeFileSync(file(name), JSON.stringify(remember(pid))),
    remove: (name) => rmSync(file(name), { force: true }),
    async stopLeftovers() {
      const names = readdirSync(folder)
        .map((entry) => basename(entry, '.json'))
        .filter((name) => name !== 'launcher');
      const left = names.flatMap((name) => {
        const remembered = read(file(name));
        return remembered && isRunning(remembered) ? [{ name, remembered }] : [];
      });
      // PostgreSQL takes SIGTERM as 'wait for every client'; SIGINT asks all of them to end soon.
      await Promise.all(left.map(({ remembered }) => end(remembered, 'SIGINT', LEFTOVER_STOP_MS)));
      for (const name of names) rmSync(file(name), { force: true });
      return left.map(({ name }) => name);
    },
  };
}

function lock(file: string): void {
  const holder = read(file);
  if (holder && holder.pid !== process.pid && isRunning(holder)) {
    throw new Error(
      `DATA_DIR is in use by the launcher with process id ${holder.pid}: stop that one or set DATA_DIR to another ` +
        `folder.`,
    );
  }
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify(remember(process.pid)), { flag: 'wx' });
  process.once('exit', () => rmSync(file, { force: true }));
}

function read(file: string): Remembered | undefined {
  try {
    return record.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
