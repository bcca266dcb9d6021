import test from 'ava';
import { plantUser } from '../support/users.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, reactivateSignal } from '../../src/workflows/profile/profile.messages.ts';
import { assertNothingLeft, assertProfileAgrees, read, untilEach, userOf } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld, TENANT } from './crash-world.ts';
import { spawnWorker } from '../support/processes.ts';

const DAY_MS = 86_400_000;

test('a reactivation that begins a workflow has its effect, wherever in its first task a kill falls', async (t) => {
  t.timeout(420_000);
  const world = await createCrashWorld(t, { settings: { PROFILE_REMINDER_MARKS_DAYS: '' } });
  const begin = async (users: readonly string[]): Promise<void> => {
    for (const userId of users) {
      const profileCompletionDeadline = new Date(Date.now() - DAY_MS);
      await plantUser(world.db, { tenantId: TENANT, userId, profileCompletionDeadline });
      await world.client.workflow.signalWithStart(PROFILE_WORKFLOW, {
        workflowId: profileWorkflowId(userId),
        taskQueue: world.env['TASK_QUEUE'] ?? '',
        workflowTaskTimeout: 3_000,
        args: [{ tenantId: TENANT, userId }],
        signal: reactivateSignal,
        signalArgs: [{ extensionDays: 3 }],
      });
    }
  };
  const isOpenAgain = async (userId: string): Promise<boolean> => {
    const { profileCompletionDeadline, status } = await userOf(world.system, userId);
    return (
      status === 'pending_profile' &&
      (profileCompletionDeadline?.getTime() ?? 0) > Date.now() &&
      (await read(world.system, (tx) => tx.pendingStart.count({ where: { workflowId: { endsWith: userId } } }))) === 0
    );
  };
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: /profile_revision/,
    begin,
    isDone: isOpenAgain,
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  t.true(points.length >= 10, points.join('\n'));

  await spawnWorker(world);
  await untilEach(targets, isOpenAgain, 'the reactivation');
  for (const userId of targets) await assertProfileAgrees(t, world, userId); // which refused nothing
  await assertNothingLeft(t, world, targets.map(profileWorkflowId));
});
