import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { hasNamespace } from './launcher/temporal.ts';
import { provideTemporalCli } from './temporal-cli.mjs';

const START_TIMEOUT_MS = 60_000;
const NAMESPACE = 'default';

const DYNAMIC_CONFIG = {
  'matching.enableFairness': true,
  // Few, so that tests see workflows continue as new.
  'limit.historyCount.suggestContinueAsNew': 200,
};

/** A running dev server that keeps nothing. */
export interface TemporaryTemporal {
  address: string;
  pid: number;
  stop: () => Promise<void>;
}

/** Starts Temporal's dev server in memory, without its Web UI; `dynamicConfig` adds to the tests' own values. */
export async function startTemporaryTemporal(
  dynamicConfig: Readonly<Record<string, number | boolean>> = {},
): Promise<TemporaryTemporal> {
  const port = await freePort();
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
    ...Object.entries({ ...DYNAMIC_CONFIG, ...dynamicConfig }).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${value}`,
    ]),
  ];
  const child = spawn(await provideTemporalCli(), args, { detached: true, stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const discard = () => void child.kill('SIGKILL');
  process.once('exit', discard);
  const stop = async () => {
    process.off('exit', discard);
    discard();
    await exited;
  };
  const address = `127.0.0.1:${port}`;
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await hasNamespace(address, NAMESPACE).catch(() => false))) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stop();
      throw new Error(`the Temporal dev server for the tests did not start on ${address}`);
    }
    await sleep(100);
  }
  return { address, pid: child.pid ?? 0, stop };
}
