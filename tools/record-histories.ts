import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { provideTemporalCli } from './temporal-cli.mjs';
import { startTestServices } from './test-services.ts';

const folder = new URL('../test/replay/histories/', import.meta.url);

/**
 * Settings by which every shape shows itself within seconds; with a mail server named, so that there is something to
 * hand over.
 */
const QUICK = {
  PROFILE_REMINDER_MARKS_DAYS: String(1 / 86_400),
  SYNC_CONFIRMATION_TIMEOUT_MS: '3000',
  SYNC_RETRY_DELAYS: '100,200',
  MAX_SYNC_RETRY_ATTEMPTS: '2',
  SYNC_RETRY_RESET_MS: '4000',
  SMTP_URL: 'smtp://127.0.0.1:1',
};

const wanted = process.argv.slice(2);
const services = await startTestServices();
Object.assign(process.env, services.env);
// Loaded now: the tests' support reads where the services are.
const { openScope } = await import('../test/support/scope.ts');
const { createUserWorld } = await import('../test/support/user-world.ts');
const { createSagaWorld } = await import('../test/support/saga-world.ts');
const { createSlipWorld } = await import('../test/support/slip-world.ts');
const { SCENARIOS } = await import('../test/replay/scenarios.ts');
const { ORDER_SCENARIOS } = await import('../test/replay/order-scenarios.ts');
const { SAGA_SCENARIOS } = await import('../test/replay/saga-scenarios.ts');
const { SLIP_SCENARIOS } = await import('../test/replay/slip-scenarios.ts');

const scope = openScope();
const world = await createUserWorld(scope, { settings: QUICK });
const sagas = await createSagaWorld(scope);
const slips = await createSlipWorld(scope);
try {
  if (wanted.length === 0) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, scenario] of Object.entries({ ...SCENARIOS, ...ORDER_SCENARIOS }))
    await record(name, () => scenario(world));
  for (const [name, scenario] of Object.entries(SAGA_SCENARIOS)) await record(name, () => scenario(sagas));
  for (const [name, scenario] of Object.entries(SLIP_SCENARIOS)) await record(name, () => scenario(slips));
} finally {
  await scope.close();
  await services.stop();
}

async function record(name: string, scenario: () => Promise<readonly WorkflowHandle[]>): Promise<void> {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const runs = await scenario();
  for (const [index, run] of runs.entries()) {
    const file = `${name}${runs.length > 1 ? `.${index + 1}` : ''}.json`;
    await writeFile(new URL(file, folder), await historyOf(run));
    console.log(`Recorded ${file}`);
  }
}

/**
 * A run's history as the CLI writes it, which is the form that replays read, without stacks: they name the paths of one
 * machine.
 */
async function historyOf(run: WorkflowHandle): Promise<string> {
  const { runId } = await run.describe();
  const args = [
    'workflow',
    'show',
    '--address',
    services.env['TEST_TEMPORAL_ADDRESS'] ?? '',
    '--workflow-id',
    run.workflowId,
    '--run-id',
    runId,
    '--output',
    'json',
  ];
  const { stdout } = await promisify(execFile)(await provideTemporalCli(), args, { maxBuffer: 100_000_000 });
  return stdout.replaceAll(/"stackTrace": "(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
}
