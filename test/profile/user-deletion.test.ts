import { WithStartWorkflowOperation } from '@temporalio/client';
import test from 'ava';
import { createProfileActivities } from '../../src/activities/profile/profile.ts';
import {
  markInProgressUpdate,
  PROFILE_WORKFLOW,
  profileWorkflowId,
  userDeletedSignal,
} from '../../src/workflows/profile/profile.messages.ts';
import { until } from '../support/until.ts';
import { createUserWorld, refusalOf, TENANT } from '../support/user-world.ts';
import { runWorker } from '../support/worker.ts';

test('a command that waits when its user is deleted is refused, not left without an answer', async (t) => {
  const world = await createUserWorld(t);
  const { db, client, config } = world;
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
  await runWorker(world, { taskQueue, activities: createProfileActivities({ db, config }) });
  t.is(await answer, 'user_deleted');
  t.is((await handle.describe()).status.name, 'COMPLETED');
});
