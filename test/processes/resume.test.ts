import test from 'ava';
import { until } from '../support/until.ts';
import { onDevServer } from './saga-servers.ts';
import { BY, type Saga } from '../support/saga-world.ts';

const context = onDevServer();

const untilStatus = (saga: Saga, status: string) =>
  until(async () => (await saga.row()).status === status, { what: status });
/** A promise that a step waits for, and one that tells when it does. */
function gate() {
  const [entered, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    entered: entered.promise,
    open: opened.resolve,
    pass: async () => {
      entered.resolve();
      await opened.promise;
    },
  };
}
/** Resets the workflow to its beginning, as `temporal workflow reset` does. */
async function resetToStart({ handle }: Saga): Promise<void> {
  const {
    connection,
    options: { namespace },
  } = context.world.client;
  const { runId } = await handle.describe();
  const firstTask = async () =>
    (await handle.fetchHistory()).events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId ?? null;
  await until(async () => (await firstTask()) !== null, {
    what: 'the end of the first task, which writes rows before it ends',
  });
  const workflowTaskFinishEventId = await firstTask();
  await connection.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: handle.workflowId, runId },
    reason: 'test',
    workflowTaskFinishEventId,
    requestId: runId,
  });
}

test('a process whose workflow was terminated goes on from its row, and does nothing twice', async (t) => {
  const saga = await context.world.begin('permit');
  await untilStatus(saga, 'waiting');
  await saga.handle.terminate('by hand');
  await saga.start();
  await saga.handle.executeUpdate('granted', { args: [{ number: 'P-1' }] });
  t.like(await saga.handle.result(), { status: 'completed' });
  t.deepEqual(await saga.effects(), ['apply', 'issue']);
});

test('a call under way when the workflow was terminated is made again, and is one for who is called', async (t) => {
  const { entered, open, pass } = gate();
  const saga = await context.world.begin('trip', { pay: [pass] });
  await entered;
  t.like(await saga.steps(), { reserve: 'completed', pay: 'running' });
  await saga.handle.terminate('by hand');
  await saga.start();
  await untilStatus(saga, 'waiting');
  t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x2']);
  const { revision, sequence } = await saga.row();
  open(); // the first call's answer comes too late to count
  await saga.handle.signal('arrived');
  t.like(await saga.handle.result(), { status: 'completed' });
  t.like(await saga.row(), { revision: revision + 1, sequence: sequence + 2 });
  t.like((await saga.view()).history[1], { step: 'pay', status: 'completed', attempts: 2 });
});

test('a cancelled process that goes on from its row hears out a call that may be made, and undoes it', async (t) => {
  const { entered, open, pass } = gate();
  const saga = await context.world.begin('trip', { pay: [pass, 'refuse'] });
  await entered;
  await saga.handle.terminate('by hand');
  await context.world.client.workflow.signalWithStart('tripProcess', {
    workflowId: saga.handle.workflowId,
    taskQueue: context.world.config.TASK_QUEUE,
    args: [{ tenantId: 'test', processId: saga.processId }],
    signal: 'cancel',
    signalArgs: [BY],
  });
  t.like(await saga.handle.result(), { status: 'cancelled' });
  open();
  t.deepEqual(
    await saga.effects(),
    ['reserve', 'undoReserve', 'pay x1', 'undoPay x1'],
    'though the second call was refused',
  );
  t.deepEqual(await saga.steps(), { reserve: 'compensated', pay: 'compensated' });
});

test('a process that was parked goes on parked after a termination, and is still put right', async (t) => {
  const saga = await context.world.begin('trip', { ship: ['refuse'], undoPay: ['refuse'] });
  await untilStatus(saga, 'compensation_failed');
  await saga.handle.terminate('by hand');
  await saga.start();
  await saga.handle.executeUpdate('retryCompensation', { args: [BY] });
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'pay x1', 'undoPay x1']);
});

test('a workflow that is reset to its beginning goes on from the row, and does nothing twice', async (t) => {
  const saga = await context.world.begin('permit');
  await untilStatus(saga, 'waiting');
  await resetToStart(saga);
  await until(
    async () =>
      (await saga.handle.describe()).status.name === 'RUNNING' &&
      (await saga.view().then(
        ({ status }) => status === 'waiting',
        () => false,
      )),
    { what: 'the new run' },
  );
  await saga.handle.signal('granted', { number: 'P-1' });
  t.like(await saga.handle.result(), { status: 'completed' });
  t.deepEqual(await saga.effects(), ['apply', 'issue']);
});

test('a workflow of a process that is over ends as the process did when it is started or reset again', async (t) => {
  const saga = await context.world.begin('trip', { pay: ['refuse'] });
  t.like(await saga.handle.result(), { status: 'compensated' });
  const row = await saga.row();
  await saga.start();
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  await resetToStart(saga);
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  t.deepEqual({ ...(await saga.row()), revision: 0, writer: '' }, { ...row, revision: 0, writer: '' });
});

test('a process that lives long continues as new at a quiet point, with its state and what it refused', async (t) => {
  const saga = await context.world.begin('trip');
  await untilStatus(saga, 'waiting');
  const { runId } = await saga.handle.describe();
  let count = 0;
  while ((await saga.handle.describe()).runId === runId) {
    await saga.handle.signal('retryStep', { by: `ann ${(count += 1)}` });
    await until(
      async () =>
        (await saga.handle.describe()).runId !== runId || (await saga.view()).refused.length === Math.min(count, 20),
      { what: 'the refusal' },
    );
  }
  await until(
    async () =>
      await saga.view().then(
        () => true,
        () => false,
      ),
    { what: 'the new run' },
  );
  t.like(await saga.view(), { status: 'waiting', currentStep: 'arrive' });
  t.is((await saga.view()).refused.length, 20);
  await saga.handle.signal('arrived', { door: 7 });
  t.like(await saga.handle.result(), { status: 'completed' });
  t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x1']);
});
