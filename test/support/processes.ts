import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tellOnFailure, type Scope } from './scope.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Of what a process has printed, when a test fails. */
const TOLD_CHARACTERS = 4_000;

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
  /** Resolves once the output matches; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<number | string>;
  send(signal: NodeJS.Signals): void;
}

/** What to run with this Node. */
export interface NodeCommand {
  readonly args: readonly string[];
  /** Over the surroundings. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a group of its own, which Ctrl-C does not reach. */
  readonly isDetached?: boolean;
  /** How it ends with the scope; a launcher is asked, so that it ends its own children. */
  readonly endSignal?: 'SIGKILL' | 'SIGTERM' | 'SIGINT';
}

/** Starts a process that ends with the scope; what it printed last is told with a failure. */
export function startNode(
  scope: Scope,
  { args, env, cwd = root, isDetached = false, endSignal = 'SIGKILL' }: NodeCommand,
): TestProcess {
  const name = args.at(-1) ?? '';
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: isDetached,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`); // a signal to "no process" would go to all
  const killWithTest = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithTest);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  // Closed: everything that it printed has been read.
  const exited = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    process.off('exit', killWithTest);
    return code ?? signal ?? '';
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const state = (): string =>
    `${name} (${pid}) ${isRunning() ? 'runs' : `ended with ${child.exitCode ?? child.signalCode}`}`;
  const told = (): string =>
    `${state()}; it printed${output === '' ? ' nothing' : `:\n${output.slice(-TOLD_CHARACTERS)}`}`;
  const wait = (condition: () => boolean | Promise<boolean>, what: string): Promise<void> =>
    until(
      async () => {
        if (await condition()) return true;
        if (!isRunning()) throw new Error(`${what} did not come: ${told()}`);
        return false;
      },
      { what, timeoutMs: 120_000, seen: told },
    );
  /** Whether its end was wanted: then there is nothing to tell. */
  let isEnded = false;
  const end = (signal: NodeJS.Signals): Promise<number | string> => {
    if (isRunning()) isEnded = child.kill(signal);
    return exited;
  };
  scope.teardown(async () => void (await end(endSignal)));
  tellOnFailure(scope, () => (isEnded ? '' : told()));
  return {
    pid,
    output: () => output,
    isRunning,
    exited,
    answers: (url) =>
      wait(async () => (await fetch(url).catch(() => undefined))?.status === 200, `${name} answering at ${url}`),
    printed: (pattern) => wait(() => pattern.test(output), `${name} printing ${pattern}`),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    send: (signal) => void child.kill(signal),
  };
}

/** What one process has beyond the settings of its world. */
export interface Extra {
  readonly entry?: string;
  readonly preload?: URL;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `worker.ts`, or a worker of the tests, and waits until it polls. */
export const spawnWorker = (world: World, extra: Extra = {}): Promise<TestProcess> =>
  spawnPart(world, { entry: 'worker.ts', port: 'WORKER_PORT', path: '/healthz', ...extra });

/** Starts `server.ts` and waits until it serves. */
export const spawnApi = (world: World, extra: Extra = {}): Promise<TestProcess> =>
  spawnPart(world, { entry: 'server.ts', port: 'PORT', path: '/readyz', ...extra });

async function spawnPart(
  { scope, env: shared }: World,
  { entry, port, path, preload, env: own }: Extra & { entry: string; port: 'PORT' | 'WORKER_PORT'; path: string },
): Promise<TestProcess> {
  const env: Readonly<Record<string, string>> = { ...shared, ...own };
  const child = startNode(scope, { args: [...(preload === undefined ? [] : ['--import', preload.href]), entry], env });
  await child.answers(`http://127.0.0.1:${env[port]}${path}`);
  return child;
}
