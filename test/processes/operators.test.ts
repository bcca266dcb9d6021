import test from 'ava';
import { until } from '../support/until.ts';
import { refusalOf } from '../support/user-world.ts';
import { onTimeSkippingServer } from './saga-servers.ts';
import { BY, type Saga, type SagaWorld } from '../support/saga-world.ts';

const DAY_MS = 86_400_000;
const context = onTimeSkippingServer();

const four = ['fail', 'fail', 'fail', 'fail'] as const;

/** A process that an operator has to look at. */
async function parked(
  type: Parameters<SagaWorld['begin']>[0],
  script: Parameters<SagaWorld['begin']>[1],
  status: string,
): Promise<Saga> {
  const { env, world } = context;
  const saga = await world.begin(type, script);
  await until(
    async () => {
      await env.sleep(1_000);
      return (await saga.row()).status === status;
    },
    { what: status },
  );
  return saga;
}
/** Pay can't be undone, until something is changed. */
const withFailedUndo = (more: Record<string, readonly 'fail'[]> = {}) =>
  parked('trip', { ship: ['refuse'], undoPay: four, ...more }, 'compensation_failed');
const withUnknownPivot = () => parked('trip', { ship: ['lose', 'lose', 'lose', 'lose'] }, 'step_failed');
const untilStatus = (saga: Saga, status: string) =>
  until(async () => (await saga.row()).status === status, { what: status });

test.serial(
  'a failed undo keeps no other from its turn; the process parks, raises an alert at once and again each day',
  async (t) => {
    const { env } = context;
    const saga = await withFailedUndo();
    t.deepEqual(await saga.steps(), { reserve: 'compensated', pay: 'compensation_failed', ship: 'failed' });
    t.like(await saga.view(), { status: 'compensation_failed', currentStep: 'pay', cause: { code: 'sold_out' } });
    t.like((await saga.view()).history[1], {
      compensation: { attempts: 4, error: { code: 'jammed', message: 'It is jammed.', class: 'transient' } },
    });
    await until(async () => (await saga.alert('process_parked')) !== undefined, { what: 'the alert' });
    t.like(await saga.alert('process_parked'), { status: 'open', count: 1 });
    for (const count of [2, 3]) {
      await env.sleep(DAY_MS);
      await until(async () => (await saga.alert('process_parked'))?.count === count, { what: 'the reminder' });
    }
    await saga.handle.executeUpdate('abandon', { args: [BY] });
    await t.throwsAsync(saga.handle.result());
    t.like(await saga.alert('process_parked'), { status: 'resolved' });
  },
);

test.serial('retryCompensation undoes what is left, by Update and by signal', async (t) => {
  const [byUpdate, bySignal] = [await withFailedUndo(), await withFailedUndo({ undoReserve: four })];
  t.like(await byUpdate.handle.executeUpdate('retryCompensation', { args: [BY] }), { cause: { code: 'sold_out' } });
  await bySignal.handle.signal('retryCompensation', BY);
  for (const saga of [byUpdate, bySignal]) {
    t.like(await saga.handle.result(), { status: 'compensated' });
    t.deepEqual(await saga.steps(), { reserve: 'compensated', pay: 'compensated', ship: 'failed' });
    t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'pay x1', 'undoPay x1']);
  }
  const { processId } = bySignal;
  const { detail } = await context.world.db.inTenant('test', (tx) =>
    tx.processEvent.findFirstOrThrow({ where: { processId, type: 'CompensationRetried' } }),
  );
  t.like(detail, { decided: { command: 'retryCompensation', by: 'ann', reason: 'because' } });
});

test.serial('a retry that fails parks the process again, and tells operators again', async (t) => {
  const saga = await withFailedUndo({ undoPay: [...four, ...four] });
  await saga.handle.signal('retryCompensation', BY);
  await until(
    async () => {
      await context.env.sleep(1_000);
      return (await saga.events()).filter((event) => event === 'CompensationParked').length === 2;
    },
    { what: 'the second parking' },
  );
  await untilStatus(saga, 'compensation_failed');
  await until(async () => (await saga.alert('process_parked'))?.status === 'open', { what: 'the alert' });
  await saga.handle.signal('abandon', BY);
  await t.throwsAsync(saga.handle.result());
});

test.serial(
  'an undo that is skipped is kept with its reason, and the process never says that it is undone',
  async (t) => {
    for (const way of ['signal', 'executeUpdate'] as const) {
      const saga = await withFailedUndo();
      const payload = { step: 'pay', by: 'ann', reason: 'paid back by hand' };
      if (way === 'signal') await saga.handle.signal('skipCompensation', payload);
      else t.like(await saga.handle.executeUpdate('skipCompensation', { args: [payload] }), { status: 'abandoned' });
      const error = await t.throwsAsync(saga.handle.result());
      t.like(error?.cause, { type: 'process_abandoned' });
      t.like((await saga.view()).history[1], {
        step: 'pay',
        status: 'skipped',
        decided: { command: 'skipCompensation', by: 'ann', reason: 'paid back by hand' },
      });
      t.is((await saga.row()).status, 'abandoned');
      t.is((await saga.handle.describe()).status.name, 'FAILED');
    }
  },
);

test.serial('a process that is abandoned ends as a failure with its cause, and keeps who abandoned it', async (t) => {
  const saga = await withFailedUndo();
  await saga.handle.signal('abandon', BY);
  const error = await t.throwsAsync(saga.handle.result());
  t.like(error?.cause, {
    type: 'process_abandoned',
    details: [
      { status: 'abandoned', cause: { code: 'sold_out', message: 'There is nothing left.', class: 'refused' } },
    ],
  });
  t.is((await saga.steps())['pay'], 'compensation_failed');
  t.is((await saga.events()).at(-1), 'ProcessAbandoned');
});

test.serial('a pivot whose outcome is unknown is not undone, whatever is asked; retryStep takes it on', async (t) => {
  const saga = await withUnknownPivot();
  t.like(await saga.view(), { status: 'step_failed', currentStep: 'ship', cause: null });
  t.like(await saga.alert('process_parked'), { status: 'open' });
  t.is(await refusalOf(t, saga.handle.executeUpdate('cancel', { args: [BY] })), 'past_point_of_no_return');
  t.is(await refusalOf(t, saga.handle.executeUpdate('retryCompensation', { args: [BY] })), 'process_not_parked');
  await saga.handle.cancel();
  await until(async () => (await saga.view()).refused.length === 1, { what: 'the refusal of the cancellation' });
  t.deepEqual(await saga.effects(), ['reserve', 'pay x1']);
  await saga.handle.executeUpdate('retryStep', { args: [BY] });
  await untilStatus(saga, 'waiting');
  await until(async () => (await saga.alert('process_parked'))?.status === 'resolved', {
    what: 'the end of the alert',
  });
  t.like((await saga.view()).history[2], {
    step: 'ship',
    status: 'completed',
    decided: { command: 'retryStep', by: 'ann', reason: 'because' },
  });
  await saga.handle.signal('arrived');
  t.like(await saga.handle.result(), { status: 'completed' });
  t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x1']);
});

test.serial('skipStep goes on behind a pivot that an operator has seen to, by signal and by Update', async (t) => {
  for (const way of ['signal', 'executeUpdate'] as const) {
    const saga = await withUnknownPivot();
    if (way === 'signal') await saga.handle.signal('skipStep', BY);
    else await saga.handle.executeUpdate('skipStep', { args: [BY] });
    await untilStatus(saga, 'waiting');
    t.is(await refusalOf(t, saga.handle.executeUpdate('cancel', { args: [BY] })), 'past_point_of_no_return');
    await saga.handle.signal('arrived');
    t.like(await saga.handle.result(), { status: 'completed' });
    t.deepEqual(await saga.steps(), { reserve: 'completed', pay: 'completed', ship: 'completed', arrive: 'completed' });
    t.true((await saga.effects()).includes('shipByHand'), 'what the step would have left is left by its skip');
  }
});

test.serial(
  'commands that are wrong or not allowed change nothing: an Update is refused with its code, a signal is kept ' +
    'with its reason',
  async (t) => {
    const saga = await withFailedUndo();
    const { sequence } = await saga.row();
    const wrong: [name: string, payload: unknown, code: string][] = [
      ['skipCompensation', { step: 'pay', by: 'ann' }, 'invalid_payload'],
      ['skipCompensation', { by: 'ann', reason: 'because' }, 'invalid_payload'],
      ['abandon', { by: 'ann' }, 'invalid_payload'],
      ['abandon', { by: 'a\0b', reason: 'because' }, 'invalid_payload'],
      ['arrived', { note: '\ud800' }, 'invalid_payload'],
      ['arrived', 7, 'invalid_payload'],
      ['skipCompensation', { step: 'reserve', ...BY }, 'unknown_step'],
      ['retryStep', BY, 'process_not_parked'],
      ['skipStep', BY, 'process_not_parked'],
      ['cancel', BY, 'process_turned_back'],
      ['arrived', {}, 'process_turned_back'],
    ];
    for (const [name, payload, code] of wrong) {
      t.is(await refusalOf(t, saga.handle.executeUpdate(name, { args: [payload] })), code, name);
      await saga.handle.signal(name, payload);
    }
    await saga.handle.signal('makeCoffee');
    await until(async () => (await saga.view()).refused.length === wrong.length + 1, { what: 'the refusals' });
    t.deepEqual(
      (await saga.view()).refused.map(({ name, code }) => [name, code]),
      [...wrong.map(([name, , code]) => [name, code]), ['makeCoffee', 'unknown_signal']],
    );
    t.is((await saga.row()).sequence, sequence);
    await saga.handle.signal('abandon', BY);
    await t.throwsAsync(saga.handle.result());
  },
);
