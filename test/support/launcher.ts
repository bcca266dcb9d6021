import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { freePort } from '../../tools/free-port.ts';
import { startNode, type TestProcess } from './processes.ts';
import type { Scope } from './scope.ts';
import { temporaryFolder } from './world.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const remembered = z.object({ pid: z.number() });

/** The settings of one installation: a data folder and ports of its own. */
export interface Installation {
  dataDir: string;
  env: Record<string, string>;
}

/** Makes an installation that nothing else uses, whatever the surroundings or a `.env` set. */
export async function createInstallation(scope: Scope): Promise<Installation> {
  const dataDir = await temporaryFolder(scope);
  const ports = ['PORT', 'WORKER_PORT', 'POSTGRES_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT'];
  const env: Record<string, string> = {
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    SYSTEM_DATABASE_URL: '',
    MIGRATION_DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
  };
  for (const name of ports) env[name] = String(await freePort());
  return { dataDir, env };
}

/** Runs `tools/start.ts` with an installation's settings. */
export function startLauncher(
  scope: Scope,
  { env }: Installation,
  overrides: Record<string, string> = {},
): TestProcess {
  return startNode(scope, { args: ['tools/start.ts'], env: { ...env, ...overrides }, endSignal: 'SIGINT' });
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
