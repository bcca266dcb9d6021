import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasNamespace } from '../../tools/launcher/temporal.ts';
import { provideTemporalCli } from '../../tools/temporal-cli.mjs';
import { freePort } from '../support/services.ts';
import { until } from '../support/until.ts';
import type { Scope } from '../support/scope.ts';

/** A dev server that keeps its state when it is killed. */
export interface RestartableTemporal {
  readonly address: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a dev server of the test's own; it ends with the test. */
export async function startRestartableTemporal(t: Scope): Promise<RestartableTemporal> {
  const folder = await mkdtemp(join(tmpdir(), 'steadfast-temporal-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const cli = await provideTemporalCli();
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--log-level',
    'never',
    '--db-filename',
    join(folder, 'temporal.db'),
    '--sqlite-pragma',
    'journal_mode=WAL',
    '--sqlite-pragma',
    'synchronous=NORMAL',
  ];
  let child: ChildProcess | undefined;

  const kill = async (): Promise<void> => {
    if (child?.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  };
  const start = async (): Promise<void> => {
    child = spawn(cli, args, { stdio: 'ignore' });
    await until(() => hasNamespace(address, 'default').catch(() => false), {
      what: 'the Temporal dev server',
      timeoutMs: 60_000,
    });
  };
  const killWithTest = (): void => {
    child?.kill('SIGKILL');
  };
  process.once('exit', killWithTest);
  t.teardown(async () => {
    process.off('exit', killWithTest);
    await kill();
    await rm(folder, { recursive: true, force: true });
  });
  await start();
  return { address, kill, start };
}
