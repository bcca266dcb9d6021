import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { freePort } from '../../tools/free-port.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const READY_TIMEOUT_MS = 120_000;
const remembered = z.object({ pid: z.number() });

/** The settings of one installation: a data folder and ports of its own. */
export interface Installation {
  dataDir: string;
  env: Record<string, string>;
  remove(): Promise<void>;
}

/** Makes an installation that nothing else uses, whatever the surroundings or a `.env` set. */
export async function createInstallation(): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steadfast-start-'));
  const ports = ['PORT', 'WORKER_PORT', 'POSTGRES_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT'];
  const env: Record<string, string> = {
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    MIGRATION_DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
  };
  for (const name of ports) env[name] = String(await freePort());
  return { dataDir, env, remove: () => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A launcher that was started, with what it printed. */
export interface Launcher {
  process: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects when the launcher ends or takes too long before. */
  printed(pattern: RegExp): Promise<void>;
  exited: Promise<number | null>;
}

/** Runs `tools/start.ts` with an installation's settings. */
export function startLauncher({ env }: Installation, overrides: Record<string, string> = {}): Launcher {
  const child = spawn(process.execPath, ['tools/start.ts'], {
    cwd: root,
    env: { ...process.env, ...env, ...overrides },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exited = once(child, 'close').then(([code]): number | null => code);
  return {
    process: child,
    output: () => output,
    exited,
    async printed(pattern) {
      const deadlineMs = Date.now() + READY_TIMEOUT_MS;
      while (!pattern.test(output)) {
        if (child.exitCode !== null) throw new Error(`the launcher ended before it printed ${pattern}:\n${output}`);
        if (Date.now() > deadlineMs) throw new Error(`the launcher did not print ${pattern} in time:\n${output}`);
        await sleep(50);
      }
    },
  };
}

/** The process ids of the launcher's children, by name. */
export function childrenOf({ dataDir }: Installation): Map<string, number> {
  const folder = join(dataDir, 'run');
  const children = readdirSync(folder).filter((file) => file !== 'launcher.json');
  return new Map(
    children.map((file) => [
      basename(file, '.json'),
      remembered.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))).pid,
    ]),
  );
}

/** A token as the panel says to get it. */
export async function mintToken({ env }: Installation): Promise<string> {
  const args = ['run', '-s', 'token', '--', '--role', 'admin', '--sub', 'boss'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root, env: { ...process.env, ...env } });
  return stdout.trim();
}
