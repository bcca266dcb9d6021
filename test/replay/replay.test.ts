import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import test from 'ava';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import '../support/quiet.ts';
import { ORDER_SCENARIOS } from './order-scenarios.ts';
import { SAGA_SCENARIOS } from './saga-scenarios.ts';
import { SLIP_SCENARIOS } from './slip-scenarios.ts';
import { SCENARIOS } from './scenarios.ts';

const folder = new URL('histories/', import.meta.url);
const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));

const bundles = join(tmpdir(), 'steadfast-test-bundles');
const product = {
  plain: await loadWorkflowBundle(bundles),
  traced: await loadWorkflowBundle(bundles, { isTraced: true }),
};
// Processes of the tests, which have every shape between them.
const workflowsPath = fileURLToPath(new URL('../processes/saga-workflows.ts', import.meta.url));
const sagas = {
  plain: await loadWorkflowBundle(bundles, { workflowsPath }),
  traced: await loadWorkflowBundle(bundles, { workflowsPath, isTraced: true }),
};

async function replay(file: string, history: unknown, kind: 'plain' | 'traced' = 'plain'): Promise<void> {
  const { codePath } = (file.startsWith('saga-') ? sagas : product)[kind];
  await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, 'replayed');
}
async function read(file: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(file, folder), 'utf8'));
}

test('every control-flow shape has its history', (t) => {
  const recorded = new Set(files.map((file) => file.split('.')[0]));
  const shapes = Object.keys({ ...SCENARIOS, ...ORDER_SCENARIOS, ...SAGA_SCENARIOS, ...SLIP_SCENARIOS });
  t.deepEqual(
    shapes.filter((name) => !recorded.has(name)),
    [],
  );
  t.is(recorded.size, shapes.length);
});

for (const file of files) {
  test(`the workflows replay ${file}`, async (t) => {
    await t.notThrowsAsync(replay(file, await read(file)));
  });
  test(`the workflows replay ${file} with tracing`, async (t) => {
    await t.notThrowsAsync(replay(file, await read(file), 'traced'));
  });
}

for (const [file, name, other] of [
  ['profile-completes-by-update.json', 'profile', 'userSync'],
  ['order-delivered.json', 'orderProcess', 'refundProcess'],
  ['saga-refused-and-undone.json', 'undoPay', 'undoFlight'],
] as const) {
  test(`a history that the workflows would not have made is found out: ${other} in place of ${name}`, async (t) => {
    const history = JSON.stringify(await read(file));
    t.true(history.includes(`"name":"${name}"`));
    const ofAnother: unknown = JSON.parse(history.replace(`"name":"${name}"`, `"name":"${other}"`));
    await t.throwsAsync(replay(file, ofAnother), { message: /Replay failed/ });
  });
}
