// A worker for the processes of tests, to be started and killed as `worker.ts` is.
import { createProcessActivities } from '../../src/activities/process/process.ts';
import { SAGA_FACTS } from '../processes/saga-definitions.ts';
import { sagaSteps } from '../processes/saga-steps.ts';
import { SAGA_WORKFLOWS } from '../support/saga-world.ts';
import { serveWorker } from './serve-worker.ts';

await serveWorker(
  ({ db, config }) => ({ ...createProcessActivities({ db, config, facts: SAGA_FACTS }), ...sagaSteps(db, new Map()) }),
  SAGA_WORKFLOWS,
);
