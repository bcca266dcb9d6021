import test from 'ava';
import { insertUser } from '../../src/db/users/users.ts';
import { PROFILE_WORKFLOW, profileWorkflowId, reactivateSignal } from '../../src/workflows/profile/profile.messages.ts';
import { assertNothingLeft, assertProfileAgrees, read, untilEach, userOf } from './end-state.ts';
import { walk } from './walk.ts';
import { createWorld, TENANT } from '../support/crash-world.ts';

const DAY_MS = 86_400_000;

test('a reactivation that begins a workflow has its effect, wherever in its first task a kill falls', async (t) => {
  t.timeout(420_000);
  const world = await createWorld(t, { settings: { PROFILE_REMINDER_MARKS_DAYS: '' } });
  const begin = async (users: readonly string[]): Promise<void> => {
    for (const userId of users) {
      await insertUser(
        world.db.pool,
        {
          tenantId: TENANT,
          userId,
          authSubject: userId,
          email: `${userId}@example.com`,
          name: 'Ada',
          locale: 'en',
          phone: null,
          profileCompletionDeadline: new Date(Date.now() - DAY_MS),
          remindersSettledUntil: new Date(0),
          services: [],
          defaultServices: false,
        },
        [],
      );
      await world.temporal.workflow.signalWithStart(PROFILE_WORKFLOW, {
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
    const { profileCompletionDeadline, status } = await userOf(world.db, userId);
    return (
      status === 'pending_profile' &&
      (profileCompletionDeadline?.getTime() ?? 0) > Date.now() &&
      (await read(world.db, (tx) => tx.pendingStart.count({ where: { workflowId: { endsWith: userId } } }))) === 0
    );
  };
  const { targets, points, kills } = await walk({
    world,
    process: 'worker',
    from: /profile_revision/,
    begin,
    isDone: isOpenAgain,
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  t.true(points.length >= 10, points.join('\n'));

  await world.startWorker();
  await untilEach(targets, isOpenAgain, 'the reactivation');
  for (const userId of targets) await assertProfileAgrees(t, world, userId); // which refused nothing
  await assertNothingLeft(t, world, targets.map(profileWorkflowId));
});
