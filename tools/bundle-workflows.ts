import { join } from 'node:path';
import { loadProcessConfig } from '../src/config/config.ts';
import { loadWorkflowBundle } from '../src/temporal/workflow-bundle.ts';

// Builds the workflows' bundles, with and without tracing, ahead of the first worker: for an image whose files cannot
// be written.
const { DATA_DIR, WORKFLOW_BUNDLE_DIR } = loadProcessConfig();
const folder = WORKFLOW_BUNDLE_DIR ?? join(DATA_DIR, 'bundles');
for (const isTraced of [false, true]) {
  const { codePath } = await loadWorkflowBundle(folder, { isTraced });
  console.log(codePath);
}
