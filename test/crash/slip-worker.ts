// A worker for the routing slips of tests, to be started and killed as `worker.ts` is.
import { createProcessActivities } from '../../src/activities/process/process.ts';
import { stepActivities } from '../../src/activities/process/step.ts';
import { legSteps } from '../../src/activities/routing-slips/leg-steps.ts';
import { processType } from '../../src/domain/process/registry.ts';
import { testFunctions } from '../support/slip-world.ts';
import { serveWorker } from './serve-worker.ts';

await serveWorker(({ db, config }) => ({
  ...createProcessActivities({ db, config }),
  ...stepActivities({ db, processType }, legSteps(testFunctions(db))),
}));
