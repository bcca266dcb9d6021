import test from 'ava';
import {
  claimCalls,
  enqueueCalls,
  removeCalls,
  type WorkflowCall,
} from '../../src/messaging/outbox/workflow-outbox.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';

const call = (workflowId: string, name: string): WorkflowCall => ({
  tenantId: 'acme',
  kind: 'signal',
  workflowType: 'x',
  workflowId,
  signal: { name },
});

test('calls of one workflow are claimed one after another, and keep nobody else waiting', async (t) => {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 2);
  t.teardown(async () => {
    await system.close();
    await database.drop();
  });
  const many = Array.from({ length: 50 }, (_, n) => call('busy', String(n)));
  await system.acrossTenants((tx) => enqueueCalls(tx, [...many, call('idle', 'only')]));

  const claimed = [await claimCalls(system.pool, 5), await claimCalls(system.pool, 5)].flat();
  t.deepEqual(
    claimed.map(({ workflowId, signalName }) => [workflowId, signalName]),
    [
      ['busy', '0'],
      ['idle', 'only'],
    ],
  );
  t.deepEqual(await claimCalls(system.pool, 5), [], 'a call was claimed before the one in front of it was made');

  await removeCalls(system.pool, claimed);
  for (const expected of ['1', '2']) {
    const next = await claimCalls(system.pool, 5);
    t.deepEqual(
      next.map(({ signalName }) => signalName),
      [expected],
    );
    await removeCalls(system.pool, next);
  }
});
