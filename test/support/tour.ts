import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Installation } from './launcher.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MARK = '── section: ';

/** A part of a document: its heading, and the shell commands below it in order. */
export interface Section {
  readonly heading: string;
  readonly script: string;
}

/** The sections of a Markdown document; `script` holds its `sh` blocks, and is empty where there are none. */
export function sectionsOf(file: string): Section[] {
  const parts = readFileSync(`${root}/${file}`, 'utf8').split(/^## /m).slice(1);
  return parts.map((part) => ({
    heading: part.slice(0, part.indexOf('\n')),
    script: [...part.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block).join(''),
  }));
}

/**
 * Types the sections into one bash, against an installation in place of the one at the default ports, and answers what
 * each printed. Rejects with everything printed when a command fails or it takes longer than `timeoutMs`.
 */
export async function typeSections(
  sections: readonly Section[],
  { installation, timeoutMs }: { readonly installation: Installation; readonly timeoutMs: number },
): Promise<Map<string, string>> {
  const commands = sections.map(({ heading, script }) => `echo '${MARK}${heading}'\n${script}`).join('');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${installed(commands, installation)}`], {
    cwd: root,
    env: { ...process.env, ...installation.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error('bash could not be started');
  // Its own group, so that what it has left in the background ends with it.
  const kill = () => void (child.exitCode === null && process.kill(-pid, 'SIGKILL'));
  const timer = setTimeout(kill, timeoutMs);
  process.once('exit', kill);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  process.off('exit', kill);
  if (code !== 0) throw new Error(`the commands ended with ${code}:\n${output}`);
  const parts = output.split(MARK).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
}

function installed(script: string, { dataDir, env }: Installation): string {
  return script
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${env['PORT']}`)
    .replaceAll('127.0.0.1:54329', `127.0.0.1:${env['POSTGRES_PORT']}`)
    .replaceAll('.data/', `${dataDir}/`);
}
