import { spawn } from 'node:child_process';
import { allChecks, holds } from './checks.ts';
import { countsOfAva, summary, type Counts } from './test-counts.ts';
import { startTestServices } from './test-services.ts';

// A zone with half an hour and summer time: code that forgets about zones shows itself.
const ZONE = 'America/St_Johns';

const avaArgs = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
if (avaArgs.length === 0) {
  for (const check of allChecks()) {
    if (stop.signal.aborted) break;
    counts[await holds(check, stop.signal) ? 'passed' : 'failed'] += 1;
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
  try {
    const { output, code } = await runAva({ TZ: ZONE, ...process.env, ...services.env });
    return countsOfAva(output, code === 0);
  } finally {
    await services.stop();
  }
}

function runAva(env: NodeJS.ProcessEnv): Promise<{ output: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn('ava', avaArgs, { env, stdio: ['inherit', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      output += text;
    });
    stop.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('error', reject);
    child.once('close', (code) => resolve({ output, code }));
  });
}
