import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import test from 'ava';
import { createProfileActivities } from '../../src/activities/profile/profile.ts';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import {
  markInProgressUpdate,
  PROFILE_WORKFLOW,
  profileWorkflowId,
  userDeletedSignal,
} from '../../src/workflows/profile/profile.messages.ts';
import { connectDevServer } from '../support/dev-server.ts';
import { until } from '../support/until.ts';
import { createWorld, refusalOf, TENANT } from '../support/user-world.ts';

test('a command that waits when its user is deleted is refused, not left without an answer', async (t) => {
  const server = await connectDevServer();
  const { client, connection } = server;
  const world = await createWorld(server);
  t.teardown(() => connection.close());
  t.teardown(() => world.close());
  const { db, config } = world;
  const userId = await world.insertUser({ now: Date.now() });

  // Both wait for the first worker, so that one task takes them.
  const workflowId = profileWorkflowId(userId);
  const taskQueue = `${config.TASK_QUEUE}-of-a-late-worker`;
  const answer = refusalOf(
    t,
    client.workflow.executeUpdateWithStart(markInProgressUpdate, {
      startWorkflowOperation: new WithStartWorkflowOperation(PROFILE_WORKFLOW, {
        workflowId,
        taskQueue,
        workflowIdConflictPolicy: 'FAIL',
        args: [{ tenantId: TENANT, userId }],
      }),
    }),
  );
  const handle = client.workflow.getHandle(workflowId);
  await until(
    async () =>
      handle.describe().then(
        () => true,
        () => false,
      ),
    { what: 'the workflow' },
  );
  await handle.signal(userDeletedSignal);
  const { codePath } = await loadWorkflowBundle(join(tmpdir(), 'steadfast-test-bundles'));
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath },
    activities: createProfileActivities({ db, config }),
  });
  t.is(await worker.runUntil(answer), 'user_deleted');
  t.is((await handle.describe()).status.name, 'COMPLETED');
});
