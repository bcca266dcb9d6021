import { randomUUID } from 'node:crypto';
import test from 'ava';
import { recoverProcess } from '../../src/maintenance/watchdog/recover-process.ts';
import { processStateQuery } from '../../src/workflows/process/process.messages.ts';
import { fileScope } from '../support/file-scope.ts';
import { until } from '../support/until.ts';
import { WATCHED_FACTS } from './watched-definitions.ts';
import { createWatchedWorld, TENANT, type WatchedWorld } from '../support/watched-world.ts';

const scope = fileScope();
let context: { world: WatchedWorld };

test.before(async () => {
  context = { world: await createWatchedWorld(scope) };
});

const recover = ({ db, client, config }: WatchedWorld, processId: string) =>
  recoverProcess({ db, client, config, facts: WATCHED_FACTS }, { tenantId: TENANT, processId });

/** A process at the place where it stands still, carried by its workflow. */
async function standing(
  world: WatchedWorld,
  type: string,
  stands: (row: Awaited<ReturnType<WatchedWorld['row']>>) => boolean,
) {
  const begun = await world.begin(type);
  await until(async () => stands(await world.row(begun.processId)), { what: `the ${type} process to stand still` });
  await untilCarried(world, begun);
  return begun;
}
const waitingOrder = (world: WatchedWorld) => standing(world, 'order', ({ status }) => status === 'waiting');
async function untilCarried({ client }: WatchedWorld, { workflowId }: { workflowId: string }): Promise<void> {
  await until(
    async () =>
      (await client.workflow
        .getHandle(workflowId)
        .query(processStateQuery)
        .catch(() => null)) !== null,
    { what: 'the workflow' },
  );
}

/** Ends a process that a test has used, so that the next round does not count it. */
async function forget(
  world: WatchedWorld,
  { processId, workflowId }: { processId: string; workflowId: string },
): Promise<void> {
  await world.client.workflow
    .getHandle(workflowId)
    .terminate('done')
    .catch(() => {});
  await world.write(processId, "status = 'abandoned'");
}

test.serial('a process that waits for an event or for an operator waits by design', async (t) => {
  const { world } = context;
  const order = await waitingOrder(world);
  const parked = await standing(world, 'parked', ({ status }) => status === 'compensation_failed');
  t.like(await world.watch(), { checked: 2, restarted: 0, alerted: 0, failed: 0, classes: { waiting: 2 } });
  t.regex((await recover(world, order.processId)).detail, /waits for an event at await_go until /);
  t.regex((await recover(world, parked.processId)).detail, /waits for an operator: compensation_failed at first/);
  for (const saga of [order, parked]) await forget(world, saga);
});

test.serial('a step that is tried again is told with its attempt and cause, be it local or remote', async (t) => {
  const { world } = context;
  const local = await standing(world, 'retrying', ({ attempts }) => attempts === 1);
  const remote = await standing(world, 'remote', ({ attempts }) => attempts === 1);
  t.regex(
    (await recover(world, local.processId)).detail,
    /^Attempt 2 of call at .*, after bank_away: The bank is away\.$/,
  );
  await until(async () => (await recover(world, remote.processId)).classed === 'retrying', {
    what: 'the second attempt to be known',
  });
  t.regex((await recover(world, remote.processId)).detail, /^Attempt 2 of failToCall, after: The bank is away\.$/);
  t.like(await world.watch(), { checked: 2, alerted: 0, classes: { retrying: 2 } });
  for (const saga of [local, remote]) await forget(world, saga);
});

test.serial('a process whose workflow was terminated goes on from its row to its end', async (t) => {
  const { world } = context;
  const { processId, workflowId } = await waitingOrder(world);
  const handle = world.client.workflow.getHandle(workflowId);
  await handle.terminate('by hand');
  t.like(await world.watch(), { restarted: 1, classes: { workflow_gone: 1 } });
  await untilCarried(world, { workflowId });
  t.like(await world.watch(), { restarted: 0, classes: { waiting: 1 } });
  await handle.signal('go', {});
  t.like(await handle.result(), { status: 'completed' });
  t.is((await world.row(processId)).status, 'completed');
});

test.serial('a process that has not heard of what it waits for is told by the round', async (t) => {
  const { world } = context;
  const { processId, workflowId } = await waitingOrder(world);
  await world.write(processId, `data = '{"gone":true}'`);
  t.like(await world.watch(), { classes: { unheard: 1 } });
  t.like(await world.client.workflow.getHandle(workflowId).result(), { status: 'completed' });
});

test.serial('a process whose workflow was never started is started', async (t) => {
  const { world } = context;
  const { processId, workflowId } = await world.begin('order', { isStarted: false });
  t.like(await recover(world, processId), {
    classed: 'workflow_gone',
    action: 'restarted',
    detail: 'The row is waiting, but its workflow is missing.',
  });
  const handle = world.client.workflow.getHandle(workflowId);
  await handle.signal('go', {});
  t.like(await handle.result(), { status: 'completed' });
});

test.serial('an execution that its process has left open ends as the process did', async (t) => {
  const { world } = context;
  const { processId, workflowId } = await waitingOrder(world);
  await world.write(processId, "status = 'completed', current_step = NULL, due_at = NULL, revision = revision + 1");
  await until(
    async () =>
      (await world.client.workflow.count(`WorkflowId = "${workflowId}" AND ExecutionStatus = "Running"`)).count === 1,
    { what: 'the listing' },
  );
  t.like(await world.watch(), { checked: 1, restarted: 1, classes: { left_open: 1 } });
  const handle = world.client.workflow.getHandle(workflowId);
  t.like(await handle.result(), { status: 'completed' });
});

test.serial('a process on a task queue that no worker asks is alerted, until one does', async (t) => {
  const { world } = context;
  const taskQueue = `nobody-${randomUUID()}`;
  const order = await world.begin('order', { taskQueue });
  t.like(await world.watch(), { alerted: 1, classes: { no_worker: 1 } });
  t.like(await world.stuckAlert(order.processId), { severity: 'critical' });
  const { stop } = await world.work(taskQueue);
  t.teardown(stop);
  await untilCarried(world, order);
  t.like(await world.watch(), { alerted: 0, classes: { waiting: 1 } });
  t.is(await world.stuckAlert(order.processId), null);
  await forget(world, order);
});

test.serial('a process whose workflow task fails again and again is alerted with what it fails with', async (t) => {
  const { world } = context;
  const broken = await world.begin('broken');
  await until(async () => (await recover(world, broken.processId)).classed === 'task_failing', {
    what: 'the third attempt',
  });
  t.like(await world.watch(), { alerted: 1, classes: { task_failing: 1 } });
  t.regex((await world.stuckAlert(broken.processId))?.summary ?? '', /^The broken .* does not move: .*there is a bug/);
  await forget(world, broken);
  t.like(await world.watch(), { checked: 0 });
  t.is(await world.stuckAlert(broken.processId), null, 'the alert of a process that is over is taken back');
});

test.serial('a process that stands still for no reason anybody knows of is alerted', async (t) => {
  const { world } = context;
  const order = await waitingOrder(world);
  await world.write(order.processId, "status = 'running', due_at = NULL");
  t.like(await world.watch(), { alerted: 1, classes: { stalled: 1 } });
  t.like(await world.stuckAlert(order.processId), { severity: 'warning' });
  await forget(world, order);
});

test.serial('a process that has moved just now moves, and one that is not there is not found', async (t) => {
  const { world } = context;
  const { db, client, config } = world;
  const order = await waitingOrder(world);
  const patient = { db, client, config: { ...config, PROCESS_STUCK_AFTER_MS: 60_000 } };
  t.like(await recoverProcess(patient, { tenantId: TENANT, processId: order.processId }), {
    classed: 'moving',
    action: 'none',
  });
  t.like(await recover(world, randomUUID()), { classed: 'not_found', action: 'none' });
  t.like(await recoverProcess(patient, { tenantId: 'another', processId: order.processId }), { classed: 'not_found' });
  await forget(world, order);
});

test.serial('where very many wait, one whose workflow is gone is still found', async (t) => {
  const { world } = context;
  const orders = await Promise.all(Array.from({ length: 120 }, () => world.begin('order')));
  const isListed = async (open: number): Promise<boolean> =>
    (
      await world.client.workflow.count(
        `TaskQueue = "${world.config.TASK_QUEUE}" AND WorkflowType = "orderProcess" AND ExecutionStatus = "Running"`,
      )
    ).count === open;
  for (const order of orders) await untilCarried(world, order);
  await until(() => isListed(120), { what: 'all of them listed' });
  t.like(await world.watch(), { checked: 120, restarted: 0, failed: 0, classes: { waiting: 120 } });
  await world.client.workflow.getHandle(orders[7]!.workflowId).terminate('by hand');
  await until(() => isListed(119), { what: 'its end listed' });
  t.like(await world.watch(), { checked: 120, restarted: 1, failed: 0, classes: { waiting: 119, workflow_gone: 1 } });
});
