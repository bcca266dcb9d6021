import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import test, { type ExecutionContext } from 'ava';
import { processWorkflowType } from '../../src/workflows/process/process.messages.ts';
import { until } from '../support/until.ts';
import { refusalOf } from '../support/user-world.ts';
import { onDevServer } from './saga-servers.ts';
import { BY, TENANT, type Saga } from '../support/saga-world.ts';

const context = onDevServer();

const untilStatus = (saga: Saga, status: string) =>
  until(async () => (await saga.row()).status === status, { what: status });

/** Everything is undone, and everybody is told that it was cancelled. */
async function assertCancelled(
  t: ExecutionContext,
  saga: Saga,
  { status = 'CANCELLED', message = 'The workflow was cancelled.' } = {},
): Promise<void> {
  await untilStatus(saga, 'cancelled');
  await until(async () => (await saga.handle.describe()).status.name === status, {
    what: `the execution to end as ${status}`,
  });
  t.like(await saga.row(), { status: 'cancelled', cause: { code: 'cancelled', message, class: 'refused' } });
  t.like(await saga.view(), { status: 'cancelled', cause: { code: 'cancelled', message } });
  const effects = await saga.effects();
  for (const step of ['reserve', 'pay', 'apply']) {
    t.is(
      effects.filter((effect) => effect.replace(/ x\d+/, '') === step).length,
      effects.filter((effect) => effect.replace(/ x\d+/, '').toLowerCase() === `undo${step}`).length,
      step,
    );
  }
}

test('a process that is cancelled before its first step does nothing, and ends cancelled', async (t) => {
  const saga = await context.world.begin('trip', {}, { isStarted: false });
  await context.world.client.workflow.signalWithStart(processWorkflowType('trip'), {
    workflowId: saga.handle.workflowId,
    taskQueue: context.world.config.TASK_QUEUE,
    args: [{ tenantId: TENANT, processId: saga.processId }],
    signal: 'cancel',
    signalArgs: [BY],
  });
  t.like(await saga.handle.result(), { status: 'cancelled', cause: { code: 'cancelled' } });
  t.deepEqual(await saga.effects(), []);
  t.deepEqual(await saga.steps(), { reserve: 'skipped' });
});

test('a cancellation by command hears out the step under way, undoes it, and ends the workflow as done', async (t) => {
  let cancelling: Promise<unknown> = Promise.resolve();
  const arrived = Promise.withResolvers<void>();
  const saga = await context.world.begin('trip', { pay: [() => arrived.promise] });
  await until(async () => (await saga.events()).includes('StepStarted pay'), { what: 'the call' });
  cancelling = saga.handle.executeUpdate('cancel', { args: [BY] });
  await saga.handle.signal('cancel', BY);
  arrived.resolve();
  await cancelling.catch(() => {});
  t.like(await saga.handle.result(), { status: 'cancelled', cause: { code: 'cancelled', message: 'because' } });
  await assertCancelled(t, saga, { status: 'COMPLETED', message: 'because' });
});

test('`workflow cancel` in a wait undoes what was done and ends the execution as cancelled', async (t) => {
  const saga = await context.world.begin('permit');
  await untilStatus(saga, 'waiting');
  await saga.handle.cancel();
  const error = await t.throwsAsync(saga.handle.result(), { instanceOf: WorkflowFailedError });
  t.is(error?.cause?.name, 'CancelledFailure');
  await assertCancelled(t, saga);
  t.deepEqual(await saga.effects(), ['apply', 'undoApply']);
});

test('`workflow cancel` while a remote call is under way does not break it off, and undoes it', async (t) => {
  const answered = Promise.withResolvers<void>();
  const saga = await context.world.begin('trip', { pay: [() => answered.promise] });
  await until(async () => (await saga.events()).includes('StepStarted pay'), { what: 'the call' });
  await saga.handle.cancel();
  answered.resolve();
  await assertCancelled(t, saga);
  t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'pay x1', 'undoPay x1']);
});

test('a parent that is cancelled cancels its process, which is undone first', async (t) => {
  const { world } = context;
  const saga = await world.begin('permit', {}, { isStarted: false });
  const parent = await world.client.workflow.start('parent', {
    workflowId: `parent-${randomUUID()}`,
    taskQueue: world.config.TASK_QUEUE,
    args: [
      {
        workflowType: processWorkflowType('permit'),
        workflowId: saga.handle.workflowId,
        input: { tenantId: TENANT, processId: saga.processId },
      },
    ],
  });
  await untilStatus(saga, 'waiting');
  await parent.cancel();
  await t.throwsAsync(parent.result(), { instanceOf: WorkflowFailedError });
  await assertCancelled(t, saga);
  t.is((await parent.describe()).status.name, 'CANCELLED');
});

test('a cancellation that comes during an undo changes nothing, and is kept with its reason', async (t) => {
  const undoing = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const saga = await context.world.begin('trip', {
    ship: ['refuse'],
    undoPay: [
      () => {
        entered.resolve();
        return undoing.promise;
      },
    ],
  });
  await entered.promise;
  await saga.handle.cancel();
  await saga.handle.signal('cancel', BY);
  undoing.resolve();
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'pay x1', 'undoPay x1']);
  t.like(await saga.view(), { status: 'compensated' });
});

test('a cancellation behind the pivot is refused, an Update with its code, all else on the record', async (t) => {
  const saga = await context.world.begin('trip');
  await untilStatus(saga, 'waiting');
  t.is(await refusalOf(t, saga.handle.executeUpdate('cancel', { args: [BY] })), 'past_point_of_no_return');
  await saga.handle.cancel();
  await saga.handle.signal('cancel', BY);
  await until(async () => (await saga.view()).refused.length === 2, { what: 'the refusals' });
  t.deepEqual(
    (await saga.view()).refused.map(({ name, code }) => `${name} ${code}`),
    ['cancel past_point_of_no_return', 'cancel past_point_of_no_return'],
  );
  await saga.handle.signal('arrived');
  t.deepEqual(await saga.handle.result(), { status: 'completed', cause: null });
  t.is((await saga.handle.describe()).status.name, 'COMPLETED');
});

test('a cancelled process whose undo fails parks, and ends cancelled once the undo is done', async (t) => {
  const saga = await context.world.begin('permit', { undoApply: ['refuse'] });
  await untilStatus(saga, 'waiting');
  await saga.handle.cancel();
  await untilStatus(saga, 'compensation_failed');
  await saga.handle.signal('retryCompensation', BY);
  await assertCancelled(t, saga);
});
