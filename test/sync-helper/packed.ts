import { execFile } from 'node:child_process';
import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Scope } from '../support/scope.ts';
import { temporaryFolder } from '../support/world.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program to its end; a failure carries what it printed. */
async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`);
  });
  return stdout;
}

/**
 * Packs the helper into `target` as its README says and returns the package's file. Done on a copy of what it is made
 * from: other tests see no half-written `dist`, and what is missing from the copy would be missing from the package.
 */
export async function packHelper(scope: Scope, target: string): Promise<string> {
  const copy = await temporaryFolder(scope);
  const sources = ['domain/shared', 'events', 'messaging', 'postgres', 'telemetry'].map((room) => `src/${room}`);
  for (const path of ['package.json', 'tsconfig.json', 'packages/sync-helper', ...sources]) {
    await cp(join(root, path), join(copy, path), { recursive: true, filter: (file) => !file.includes('generated') });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const stdout = await run('npm', ['pack', './packages/sync-helper', '--pack-destination', target], copy);
  return join(target, stdout.trim().split('\n').at(-1) ?? '');
}

/** Installs a project's dependencies, from npm's cache where it has them. */
export async function install(folder: string, ...packages: string[]): Promise<void> {
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], folder);
}

/** Type-checks a project with our compiler; rejects with its complaints. */
export async function typeCheck(folder: string): Promise<void> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], folder);
}
