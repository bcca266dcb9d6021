import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../postgres-user.ts';
import { openChildLog } from './child-log.ts';
import { send } from './processes.ts';
import type { RunFolder } from './run-folder.ts';

const FAST_DEATHS = 3;
const FAST_DEATHS_WITHIN_MS = 30_000;
const LONGEST_BACKOFF_MS = 10_000;
const HEALTH_EVERY_MS = 100;

/** One process of the whole: how to start it, how to see that it works, and how to stop it. */
export interface Service {
  name: string;
  command: Command;
  env?: Record<string, string>;
  /** A channel that ends with the launcher, however that ends, so that the child can end too. */
  channel?: boolean;
  healthy(): Promise<boolean>;
  startTimeoutMs: number;
  stop: { signal: NodeJS.Signals; hurry: NodeJS.Signals; timeoutMs: number };
  toTerminal(line: string): string | undefined;
}

/** A service that is kept running until it is stopped. */
export interface Supervised {
  name: string;
  /**
   * Resolves once the first process is healthy; rejects, with its last lines, when it ends or does not answer in time.
   */
  ready: Promise<void>;
  /** Asks the process to end, and kills its group after the service's deadline or, once `hurry` fires, sooner. */
  stop(hurry: AbortSignal): Promise<void>;
}

interface Surroundings {
  logFolder: string;
  run: RunFolder;
  report: (line: string) => void;
  /** Called when the service cannot be kept running, with the reason. */
  giveUp: (reason: Error) => void;
}

/** Starts a service and, once it has been healthy, starts it again whenever it ends. */
export function supervise(service: Service, surroundings: Surroundings): Supervised {
  const { name } = service;
  const { report, run } = surroundings;
  const log = openChildLog({
    name,
    folder: surroundings.logFolder,
    toTerminal: (line) => (stopping ? undefined : service.toTerminal(line)),
  });
  let stopping = false;
  let child: ChildProcess;
  let ended: Promise<string>;
  const deathsMs: number[] = [];

  const start = () => {
    log.restart();
    child = spawnService(service);
    ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit status ${code}`));
    });
    if (child.pid !== undefined) run.add(name, child.pid);
    if (child.stdout) log.follow(child.stdout);
    if (child.stderr) log.follow(child.stderr);
  };

  const untilHealthy = async (): Promise<'healthy' | { reason: string }> => {
    let reason: string | undefined;
    void ended.then((text) => {
      reason = text;
    });
    const deadlineMs = Date.now() + service.startTimeoutMs;
    while (reason === undefined && !stopping) {
      if (await service.healthy().catch(() => false)) return 'healthy';
      if (Date.now() > deadlineMs) {
        killGroup(child);
        await ended;
        return { reason: `not answering after ${service.startTimeoutMs / 1000} s` };
      }
      await sleep(HEALTH_EVERY_MS);
    }
    return { reason: reason ?? 'stopped' };
  };

  const describe = (reason: string) => {
    const what = `${name} ended (${reason})`;
    const lines = log.lastLines().map((line) => `  ${line}`);
    return lines.length === 0 ? `${what}.` : `${what}; its last lines:\n${lines.join('\n')}`;
  };

  const keepRunning = async () => {
    for (;;) {
      const reason = await ended;
      run.remove(name);
      if (stopping) return;
      deathsMs.push(Date.now());
      const recent = deathsMs.filter((ms) => ms > Date.now() - FAST_DEATHS_WITHIN_MS).length;
      if (recent >= FAST_DEATHS)
        return surroundings.giveUp(
          new Error(`${describe(reason)}\nIt ended ${recent} times within ${FAST_DEATHS_WITHIN_MS / 1000} s.`),
        );
      const backoffMs = Math.min(500 * 2 ** (recent - 1), LONGEST_BACKOFF_MS);
      report(`${name} ended (${reason}); starting it again in ${backoffMs / 1000} s.`);
      await sleep(backoffMs);
      if (stopping) return;
      start();
      if ((await untilHealthy()) === 'healthy') report(`${name} is back.`);
    }
  };

  const becomeReady = async () => {
    const first = await untilHealthy();
    if (first !== 'healthy') throw new Error(describe(first.reason));
    void keepRunning();
  };

  start();
  const ready = becomeReady();
  ready.catch(() => undefined); // told to whoever awaits it; nobody does when a stop comes first
  return {
    name,
    ready,
    async stop(hurry) {
      stopping = true;
      const signal = () =>
        child.pid !== undefined && send(child.pid, hurry.aborted ? service.stop.hurry : service.stop.signal);
      if (child.exitCode === null && child.signalCode === null) signal();
      hurry.addEventListener('abort', signal);
      const timer = setTimeout(() => killGroup(child), service.stop.timeoutMs);
      await ended;
      clearTimeout(timer);
      hurry.removeEventListener('abort', signal);
      run.remove(name);
    },
  };
}

// In a process group of its own, so that Ctrl-C in the terminal reaches the launcher alone and the order is kept.
function spawnService({ command: { file, args, uid, gid }, env, channel }: Service): ChildProcess {
  return spawn(file, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(channel ? ['ipc' as const] : [])],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) send(-pid, 'SIGKILL');
}
