import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { allChecks, holds } from './checks.ts';
import { groupLives, send } from './launcher/processes.ts';
import { quickTests } from './quick-tests.ts';
import { countsOfAva, summary, type Counts } from './test-counts.ts';
import { startTestServices } from './test-services.ts';

// A zone with half an hour and summer time: code that forgets about zones shows itself.
const ZONE = 'America/St_Johns';

const STOP_TIMEOUT_MS = 20_000;

const COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/steadfast-compiled', import.meta.url));

const isQuick = process.argv[2] === '--quick';
const named = process.argv.slice(isQuick ? 3 : 2);
const avaArgs = isQuick ? [...quickTests(), ...named] : named;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
if (named.length === 0) {
  for (const check of allChecks()) {
    if (stop.signal.aborted) break;
    counts[(await holds(check, stop.signal)) ? 'passed' : 'failed'] += 1;
  }
}
if (!stop.signal.aborted) {
  const tests = await runTests().catch((error: unknown): Counts => {
    console.error(error);
    return { passed: 0, failed: 1, skipped: 0 };
  });
  counts.passed += tests.passed;
  counts.failed += tests.failed;
  counts.skipped += tests.skipped;
}
if (stop.signal.aborted) counts.failed += 1;

const skippingAllowed = process.env['CI'] !== 'true';
console.log(`\n${summary(counts, { skippingAllowed })}`);
process.exit(counts.failed === 0 && (skippingAllowed || counts.skipped === 0) ? 0 : 1);

async function runTests(): Promise<Counts> {
  console.log('\n── Tests');
  const services = await startTestServices();
  const temporary = await mkdtemp(join(tmpdir(), 'steadfast-test-'));
  try {
    const { output, code } = await runAva({
      TZ: ZONE,
      // Each test file and each part that a test starts is a process, which would compile the same modules anew.
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...process.env,
      ...services.env,
      TMPDIR: temporary,
      WORKFLOW_BUNDLE_DIR: join(temporary, 'steadfast-test-bundles'),
    });
    return countsOfAva(output, code === 0);
  } finally {
    await services.stop();
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

// In a process group of its own, so that a stop reaches also what the tests have started, and waits for it.
async function runAva(env: NodeJS.ProcessEnv): Promise<{ output: string; code: number | null }> {
  const child = spawn('ava', avaArgs, { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const [code] = await Promise.race([once(child, 'exit'), once(stop.signal, 'abort')]);
  if (stop.signal.aborted && child.pid !== undefined) await endGroup(child.pid);
  else await finished(child.stdout);
  return { output, code: typeof code === 'number' ? code : null };
}

async function endGroup(leader: number): Promise<void> {
  send(-leader, 'SIGINT');
  const deadlineMs = Date.now() + STOP_TIMEOUT_MS;
  while (groupLives(leader) && Date.now() < deadlineMs) await sleep(100);
  send(-leader, 'SIGKILL');
}
