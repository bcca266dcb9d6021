import type { WorkflowHandle } from '@temporalio/client';
import { reopenProcess } from '../../src/db/processes/reopen-process.ts';
import { holdAlerts, reopeningHeard } from '../processes/hold-alerts.ts';
import { sagaType } from '../processes/saga-definitions.ts';
import { until } from '../support/until.ts';
import { BY, TENANT, type Saga, type SagaWorld } from '../support/saga-world.ts';
import { whileWritesFail } from './scenarios.ts';

const FOUR = ['fail', 'fail', 'fail', 'fail'] as const;
const untilStatus = (saga: Saga, status: string): Promise<void> =>
  until(async () => (await saga.row()).status === status, { what: status });
const end = async ({ handle }: Saga): Promise<readonly WorkflowHandle[]> => {
  await handle.result().catch(() => {});
  return [handle];
};

/** Reopens the process, and makes the call that it promises. */
async function reopen({ db, client, config }: SagaWorld, { type, processId, handle }: Saga): Promise<void> {
  const { id: letterId } = await db.inTenant(TENANT, (tx) =>
    tx.deadLetter.findFirstOrThrow({ where: { source: 'process', messageId: processId } }),
  );
  await reopenProcess(db.pool, { tenantId: TENANT, processId, letterId, ...BY }, sagaType);
  await client.workflow.signalWithStart(`${type}Process`, {
    workflowId: handle.workflowId,
    taskQueue: config.TASK_QUEUE,
    args: [{ tenantId: TENANT, processId }],
    signal: 'reopened',
  });
}

/** Every control-flow shape of processes, by the name of its fixture. */
export const SAGA_SCENARIOS: Readonly<Record<string, (world: SagaWorld) => Promise<readonly WorkflowHandle[]>>> = {
  'saga-completes': async (world) => {
    const saga = await world.begin('trip');
    await untilStatus(saga, 'waiting');
    await saga.handle.signal('arrived', { door: 7 });
    return end(saga);
  },

  'saga-waits': async (world) => {
    const saga = await world.begin('trip');
    await untilStatus(saga, 'waiting');
    return [saga.handle];
  },

  'saga-refused-and-undone': async (world) => end(await world.begin('trip', { ship: ['refuse'] })),

  'saga-retries-and-is-undone': async (world) =>
    end(
      await world.begin('trip', {
        reserve: ['fail', 'fail'],
        pay: ['fail'],
        ship: ['refuse'],
        undoPay: ['fail'],
        undoReserve: ['fail'],
      }),
    ),

  'saga-undone-side-by-side': async (world) =>
    end(await world.begin('tour', { confirm: ['refuse'], undoHotel: ['fail'] })),

  'saga-parked-retried-skipped': async (world) => {
    const saga = await world.begin('trip', { ship: ['refuse'], undoPay: [...FOUR, 'refuse'], undoReserve: ['refuse'] });
    await untilStatus(saga, 'compensation_failed');
    await saga.handle.executeUpdate('retryCompensation', { args: [BY] });
    await untilStatus(saga, 'compensation_failed');
    await saga.handle.signal('skipCompensation', { step: 'pay', ...BY });
    return end(saga);
  },

  'saga-abandoned': async (world) => {
    const saga = await world.begin('trip', { ship: ['lose', 'lose', 'lose', 'lose'] });
    await untilStatus(saga, 'step_failed');
    await saga.handle.executeUpdate('abandon', { args: [BY] });
    return end(saga);
  },

  'saga-reopened': async (world) => {
    const saga = await world.begin('trip', { ship: ['lose', 'lose', 'lose', 'lose'] });
    await untilStatus(saga, 'step_failed');
    await saga.handle.executeUpdate('abandon', { args: [BY] });
    await saga.handle.result().catch(() => {});
    await reopen(world, saga);
    await saga.handle.executeUpdate('retryStep', { args: [BY] });
    await untilStatus(saga, 'waiting');
    await saga.handle.executeUpdate('arrived', { args: [{}] });
    return end(saga);
  },

  'saga-reopened-as-it-closes': async (world) => {
    const saga = await world.begin('trip', { ship: ['lose', 'lose', 'lose', 'lose'] });
    await untilStatus(saga, 'step_failed');
    const { runId } = await saga.handle.describe();
    const release = await holdAlerts(world.scope, world);
    await saga.handle.signal('abandon', BY);
    await untilStatus(saga, 'abandoned');
    await reopen(world, saga);
    await until(async () => (await reopeningHeard(saga)) === 'heard', { what: 'a task that hears of it' });
    await release();
    await until(async () => (await saga.handle.describe()).runId !== runId, { what: 'the next run' });
    await saga.handle.executeUpdate('retryStep', { args: [BY] });
    await untilStatus(saga, 'waiting');
    return [world.client.workflow.getHandle(saga.handle.workflowId, runId), saga.handle];
  },

  'saga-step-retried': async (world) => {
    const saga = await world.begin('trip', { ship: ['lose', 'lose', 'lose', 'lose'] });
    await untilStatus(saga, 'step_failed');
    await saga.handle.signal('retryStep', BY);
    await untilStatus(saga, 'waiting');
    await saga.handle.executeUpdate('arrived', { args: [{}] });
    return end(saga);
  },

  'saga-cancelled-in-wait': async (world) => {
    const saga = await world.begin('permit');
    await untilStatus(saga, 'waiting');
    await saga.handle.cancel();
    return end(saga);
  },

  'saga-cancelled-before-it-begins': async (world) => {
    const saga = await world.begin('trip', {}, { isStarted: false });
    await world.client.workflow.signalWithStart('tripProcess', {
      workflowId: saga.handle.workflowId,
      taskQueue: world.config.TASK_QUEUE,
      args: [{ tenantId: TENANT, processId: saga.processId }],
      signal: 'cancel',
      signalArgs: [BY],
    });
    return end(saga);
  },

  'saga-told-early': async (world) => {
    const saga = await world.begin('permit', { apply: ['fail'] });
    await until(async () => (await saga.row()).attempts === 1, { what: 'the first attempt' });
    await saga.handle.signal('granted', { number: 'P-1' });
    return end(saga);
  },

  'saga-late-and-failed': async (world) => end(await world.begin('permit', {}, { data: { limitMs: 1_000 } })),

  'saga-late-and-told-at-last': async (world) => {
    const saga = await world.begin('trip', {}, { data: { limitMs: 1_000 } });
    await until(async () => (await saga.alert('process_overdue')) !== undefined, { what: 'the reminder' });
    await saga.handle.signal('arrived');
    return end(saga);
  },

  'saga-refuses': async (world) => {
    const saga = await world.begin('trip');
    await untilStatus(saga, 'waiting');
    await saga.handle.executeUpdate('cancel', { args: [BY] }).catch(() => {});
    for (const name of ['cancel', 'retryStep', 'abandon', 'makeCoffee']) await saga.handle.signal(name, BY);
    await saga.handle.signal('arrived', 7);
    await saga.handle.cancel();
    await until(async () => (await saga.view()).refused.length === 6, { what: 'the refusals' });
    return [saga.handle];
  },

  'saga-goes-on-from-its-row': async (world) => {
    const saga = await world.begin('permit');
    await untilStatus(saga, 'waiting');
    await saga.handle.terminate('by hand');
    await saga.start();
    await saga.handle.executeUpdate('granted', { args: [{}] });
    return end(saga);
  },

  'saga-row-ahead': async (world) => {
    const saga = await world.begin('permit');
    await untilStatus(saga, 'waiting');
    await world.db.inTenant(TENANT, (tx) =>
      tx.processState.updateMany({ where: { processId: saga.processId }, data: { revision: 100 } }),
    );
    await saga.handle.signal('granted', {});
    return end(saga);
  },

  'saga-database-away': async (world) => {
    const saga = await world.begin('permit');
    await untilStatus(saga, 'waiting');
    await whileWritesFail(world, 'process_states', async () => {
      await saga.handle.signal('granted', {});
      const timers = async (): Promise<number> =>
        (await saga.handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes).length ?? 0;
      const before = await timers();
      await until(async () => (await timers()) > before, { what: 'a retry by timer' });
    });
    return end(saga);
  },

  'saga-without-row': async (world) => {
    const processId = '00000000-0000-4000-8000-000000000000';
    const handle = await world.client.workflow.start('tripProcess', {
      workflowId: `trip:${processId}`,
      taskQueue: world.config.TASK_QUEUE,
      args: [{ tenantId: TENANT, processId }],
    });
    await handle.result().catch(() => {});
    return [handle];
  },

  'saga-continues-as-new': async (world) => {
    const saga = await world.begin('permit');
    await untilStatus(saga, 'waiting');
    const { runId } = await saga.handle.describe();
    while ((await saga.handle.describe()).runId === runId) await saga.handle.signal('retryStep', BY);
    await saga.handle.executeUpdate('granted', { args: [{}] });
    await saga.handle.result();
    return [world.client.workflow.getHandle(saga.handle.workflowId, runId), saga.handle];
  },
};
