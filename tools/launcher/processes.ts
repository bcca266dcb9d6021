import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process as it is remembered across launches: its number alone may have gone to another one since. */
export interface Remembered {
  pid: number;
  identity: string;
}

// What tells a process from a later one of the same number; undefined when it does not run.
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[18]}`;
  } catch {
    return undefined;
  }
}

/** Remembers a process that runs now. */
export function remember(pid: number): Remembered {
  return { pid, identity: identityOf(pid) ?? '' };
}

/** Whether the remembered process still runs, and is not another of the same number. */
export function isRunning({ pid, identity }: Remembered): boolean {
  return identity !== '' && identityOf(pid) === identity;
}

/** Asks the remembered process to end, and kills its whole group when it has not after `timeoutMs`. */
export async function end(remembered: Remembered, signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
  if (!isRunning(remembered)) return;
  send(remembered.pid, signal);
  const deadlineMs = Date.now() + timeoutMs;
  while (isRunning(remembered) && Date.now() < deadlineMs) await sleep(50);
  if (isRunning(remembered)) send(-remembered.pid, 'SIGKILL');
}

/** Sends a signal to a process, or with a negative number to its group; one that is gone needs none. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Whether any process of the group that this process leads is left. */
export function groupLives(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}
