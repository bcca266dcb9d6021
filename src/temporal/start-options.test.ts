import { globSync, readFileSync } from 'node:fs';
import test from 'ava';

const STARTS = /\bworkflow\.start\(|\bsignalWithStart\(|new WithStartWorkflowOperation\(|type: 'startWorkflow'/;

test('whatever starts a workflow says its rank', (t) => {
  const starting = globSync('src/**/*.ts', { exclude: ['**/*.test.ts'] }).filter((file) =>
    STARTS.test(readFileSync(file, 'utf8')),
  );
  t.true(starting.length > 5);
  t.deepEqual(
    starting.filter((file) => !/startOptions\(|priorityOf\(/.test(readFileSync(file, 'utf8'))),
    [],
  );
});
