import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A process of ours that a test has started. */
export interface TestProcess {
  readonly pid: number;
  /** What it has printed. */
  output(): string;
  isRunning(): boolean;
  /** Resolves when it has ended, with its exit code or the signal that killed it. */
  readonly exited: Promise<number | string>;
  /** Resolves once `url` answers 200; rejects when the process ends before, unless it is to be killed then. */
  answers(url: string): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<number | string>;
}

/**
 * Starts `worker.ts`, `server.ts` or a worker of the tests, after the module `preload` if there is one, with these
 * settings over the test's own environment.
 */
export function startProcess(
  entry: 'worker.ts' | 'server.ts' | 'test/crash/saga-worker.ts' | 'test/crash/order-worker.ts',
  env: Readonly<Record<string, string>>,
  preload?: URL,
): TestProcess {
  const child = spawn(process.execPath, [...(preload === undefined ? [] : ['--import', preload.href]), entry], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${entry} could not be started`); // a signal to "no process" would go to all
  const killWithTest = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithTest);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exited = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => {
    process.off('exit', killWithTest);
    return code ?? signal ?? '';
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string> => {
    if (isRunning()) child.kill(signal);
    return exited;
  };
  return {
    pid,
    output: () => output,
    isRunning,
    exited,
    answers: (url) =>
      until(
        async () => {
          if (!isRunning()) throw new Error(`${entry} ended before it was ready:\n${output}`);
          return (await fetch(url).catch(() => undefined))?.status === 200;
        },
        { what: `${entry} at ${url}`, timeoutMs: 120_000 },
      ),
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
