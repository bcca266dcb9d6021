import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Priority } from '@temporalio/common';
import test from 'ava';
import { ensureSchedules } from '../../src/temporal/schedules.ts';
import { priorityOf } from '../../src/workflows/runtime/priority.messages.ts';
import { runApi } from '../support/api.ts';
import { until } from '../support/until.ts';
import { createUserWorld } from '../support/user-world.ts';
import { runWorker } from '../support/worker.ts';
import { createWorld } from '../support/world.ts';
import type { Noting } from './ranked-workflows.ts';

const WORKFLOWS = fileURLToPath(new URL('ranked-workflows.ts', import.meta.url));
const DAY_MS = 86_400_000;
const MANY = 500;
const FEW = 5;

test("of a backlog background work comes last, and a tenant's few are not behind another's many", async (t) => {
  const world = await createWorld(t);
  const { client, config } = world;
  const start = (name: string, count: number, priority: Priority) =>
    Promise.all(
      Array.from({ length: count }, () =>
        client.workflow.start('ranked', {
          workflowId: `${name}-${randomUUID()}`,
          taskQueue: config.TASK_QUEUE,
          args: [name],
          priority,
        }),
      ),
    );
  // In the order in which a queue without ranks and shares would serve them
  await start('background', FEW, priorityOf('background', 'many'));
  await start('many', MANY, priorityOf('awaited', 'many'));
  await start('few', FEW, priorityOf('awaited', 'few'));

  const served: string[] = [];
  const activities: Noting = {
    note: async (name) => void served.push(name),
  };
  const options = { maxCachedWorkflows: 0, maxConcurrentWorkflowTaskExecutions: 1 };
  await runWorker(world, { activities, workflowsPath: WORKFLOWS, options });
  await until(() => served.length === MANY + 2 * FEW, { what: 'all of them', timeoutMs: 120_000 });

  const lastOfFew = served.lastIndexOf('few');
  t.true(lastOfFew < MANY / 2, `the last of the few came as number ${lastOfFew + 1}`);
  t.true(served.indexOf('background') > lastOfFew, served.join(' '));
});

test('workflows carry rank and tenant, and what they have done in the background ranks below', async (t) => {
  const world = await createUserWorld(t, { settings: { SMTP_URL: 'smtp://127.0.0.1:1' } });
  const api = await runApi(world);
  await ensureSchedules(world.client, world.config);
  const userId = await world.insertUser({ now: Date.now() - 7 * DAY_MS });
  await world.startProfile(userId);
  const { body } = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'ranked',
    json: { authSubject: 'ranked', email: 'ranked@example.com' },
  });
  const bulk = await api.ask('POST', '/users/state-management/bulk/resync', {
    role: 'admin',
    json: { filter: { status: 'active' } },
  });
  const audit = await api.ask('POST', '/maintenance/audits/cleanup/run', { role: 'installation_operator' });
  const priorityOfWorkflow = async (workflowId: string): Promise<Priority | undefined> => {
    const handle = world.client.workflow.getHandle(workflowId);
    await until(
      () =>
        handle.describe().then(
          () => true,
          () => false,
        ),
      { what: workflowId },
    );
    return (await handle.describe()).priority;
  };

  t.like(await priorityOfWorkflow(`profile:${String(body['id'])}`), { priorityKey: 2, fairnessKey: 'default' });
  t.like(await priorityOfWorkflow(`user-sync:${String(body['id'])}`), { priorityKey: 2, fairnessKey: 'default' });
  t.like(await priorityOfWorkflow(`bulk:default:${String(bulk.body['operationId'])}`), {
    priorityKey: 4,
    fairnessKey: 'default',
  });
  t.like(await priorityOfWorkflow(String(audit.body['workflowId'])), { priorityKey: 4 });
  t.like((await world.client.schedule.getHandle('cleanup').describe()).action, { priority: { priorityKey: 4 } });

  const profile = world.client.workflow.getHandle(`profile:${userId}`);
  await until(async () => (await world.row(userId)).status === 'inactive', { what: 'the expiry' });
  const scheduled = async () =>
    (await profile.fetchHistory()).events?.find((event) => event.activityTaskScheduledEventAttributes)
      ?.activityTaskScheduledEventAttributes;
  await until(async () => (await scheduled()) !== undefined, { what: 'the hand-over' });
  t.like(await scheduled(), { activityType: { name: 'deliverNotifications' }, priority: { priorityKey: 4 } });
});
