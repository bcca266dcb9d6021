import { join } from 'node:path';
import { loadProcessConfig } from '../src/config.ts';
import { loadWorkflowBundle } from '../src/temporal/workflow-bundle.ts';

// Builds the workflows' bundle ahead of the first worker, for an image whose files cannot be written.
const { codePath } = await loadWorkflowBundle(join(loadProcessConfig().DATA_DIR, 'bundles'));
console.log(codePath);
