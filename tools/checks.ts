import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A static check: what it is called and the command that fails when it does not hold. */
export interface Check {
  title: string;
  command: [string, ...string[]];
}

/** All checks, in the order in which they run. */
export function allChecks(): Check[] {
  const sources = ['worker.ts', 'server.ts', 'src', 'tools', 'test', 'bench', 'packages'].filter((path) =>
    existsSync(`${root}/${path}`),
  );
  return [
    { title: 'Types', command: ['tsc', '--noEmit'] },
    { title: 'Format', command: ['oxfmt', '--check', '**/*.ts', '**/*.mjs'] },
    { title: 'Width', command: [process.execPath, 'tools/check-width.ts'] },
    { title: 'Lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
    {
      title: 'Dependency rule',
      command: ['depcruise', '--config', '.dependency-cruiser.mjs', '--output-type', 'err', ...sources],
    },
    { title: 'Unused code', command: ['knip'] },
    { title: 'Lock file', command: [process.execPath, 'tools/check-lock.ts'] },
    { title: 'Migrations against the schema', command: [process.execPath, 'tools/check-migrations.ts'] },
    ...(hasScript('asyncapi:check')
      ? [{ title: 'AsyncAPI', command: ['npm', 'run', '-s', 'asyncapi:check'] } satisfies Check]
      : []),
    ...(hasScript('openapi:check')
      ? [{ title: 'OpenAPI', command: ['npm', 'run', '-s', 'openapi:check'] } satisfies Check]
      : []),
  ];
}

/** Runs one check under a heading, with its output and time, and says whether it holds. */
export async function holds({ title, command: [file, ...args] }: Check, signal?: AbortSignal): Promise<boolean> {
  console.log(`\n── ${title}`);
  const startMs = Date.now();
  const child = spawn(file, args, { cwd: root, stdio: 'inherit', ...(signal ? { signal } : {}) });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(null);
    });
    child.once('exit', resolve);
  });
  console.log(`${code === 0 ? 'passed' : 'FAILED'} (${((Date.now() - startMs) / 1000).toFixed(1)} s)`);
  return code === 0;
}

function hasScript(name: string): boolean {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')));
  return name in scripts;
}
