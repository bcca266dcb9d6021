import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import test from 'ava';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import '../support/quiet.ts';
import { SCENARIOS } from './scenarios.ts';

const folder = new URL('histories/', import.meta.url);
const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));

const bundles = join(tmpdir(), 'steadfast-test-bundles');
const { codePath } = await loadWorkflowBundle(bundles);
const traced = await loadWorkflowBundle(bundles, { isTraced: true });

async function replay(history: unknown, bundle = codePath): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: { codePath: bundle } }, history, 'replayed');
}
async function read(file: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(file, folder), 'utf8'));
}

test('every control-flow shape has its history', (t) => {
  const recorded = new Set(files.map((file) => file.split('.')[0]));
  t.deepEqual(Object.keys(SCENARIOS).filter((name) => !recorded.has(name)), []);
  t.is(recorded.size, Object.keys(SCENARIOS).length);
});

for (const file of files) {
  test(`the workflows replay ${file}`, async (t) => {
    await t.notThrowsAsync(replay(await read(file)));
  });
  test(`the workflows replay ${file} with tracing`, async (t) => {
    await t.notThrowsAsync(replay(await read(file), traced.codePath));
  });
}

test('a history that the workflows would not have made is found out', async (t) => {
  const history = JSON.stringify(await read('profile-completes-by-update.json'));
  const ofAnotherWorkflow: unknown = JSON.parse(history.replace('"name":"profile"', '"name":"userSync"'));
  await t.throwsAsync(replay(ofAnotherWorkflow), { message: /Replay failed/ });
});
