import test from 'ava';
import { isWaiting } from '../domain/process/definition.ts';
import { PROCESS_TYPES } from '../domain/process/registry.ts';
import { FACTS } from './facts.ts';

test('every event that a process waits for is found in the rows, by the function that its step names', (t) => {
  const named = Object.values(PROCESS_TYPES).flatMap(({ steps }) =>
    Object.values(steps).flatMap((step) => (isWaiting(step) ? [step.foundBy] : [])),
  );
  t.true(named.length > 0);
  t.deepEqual([...new Set(named)].toSorted(), Object.keys(FACTS.finders).toSorted());
});
