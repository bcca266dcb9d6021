import test, { type ExecutionContext } from 'ava';
import { jittered } from '../../src/domain/shared/spread.ts';
import { until } from '../support/until.ts';
import type { Ending } from './saga-steps.ts';
import { onTimeSkippingServer } from './saga-servers.ts';
import { type Saga } from '../support/saga-world.ts';

const context = onTimeSkippingServer();

const four = (ending: Ending): Ending[] => [ending, ending, ending, ending];

/** What the query, the row and its history say is one. */
async function assertAgrees(t: ExecutionContext, saga: Saga): Promise<void> {
  const [view, row] = await Promise.all([saga.view(), saga.row()]);
  t.like(view, { status: row.status, currentStep: row.currentStep, revision: row.revision });
  t.deepEqual({ history: view.history, cause: view.cause } as unknown, { history: row.history, cause: row.cause });
}

test.serial(
  'a process takes its steps in order, waits for its event, and completes with what its steps came to',
  async (t) => {
    const saga = await context.world.begin('trip');
    await until(async () => (await saga.row()).status === 'waiting', { what: 'the wait' });
    t.like(await saga.view(), { status: 'waiting', currentStep: 'arrive', cause: null });
    await saga.handle.signal('arrived', { door: 7 });
    t.deepEqual(await saga.handle.result(), { status: 'completed', cause: null });
    t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x1']);
    t.deepEqual(await saga.steps(), { reserve: 'completed', pay: 'completed', ship: 'completed', arrive: 'completed' });
    t.deepEqual(await saga.events(), [
      'ProcessStarted',
      'StepRegistered reserve',
      'StepCompleted reserve',
      'StepRegistered pay',
      'StepStarted pay',
      'StepCompleted pay',
      'StepRegistered ship',
      'StepCompleted ship',
      'StepRegistered arrive',
      'WaitStarted arrive',
      'StepCompleted arrive',
      'ProcessCompleted',
    ]);
    t.like(await saga.row(), {
      data: { reserve: 'done', pay: 'done', ship: 'done', arrived: { door: 7 } },
      attempts: 0,
      lastError: null,
      retryAt: null,
    });
    await assertAgrees(t, saga);
  },
);

for (const [refused, expected] of Object.entries({
  reserve: { effects: [], steps: { reserve: 'failed' } },
  pay: { effects: ['reserve', 'undoReserve'], steps: { reserve: 'compensated', pay: 'failed' } },
  ship: {
    effects: ['reserve', 'undoReserve', 'pay x1', 'undoPay x1'],
    steps: { reserve: 'compensated', pay: 'compensated', ship: 'failed' },
  },
})) {
  test.serial(`a refusal at ${refused} undoes at once what was done, and says why to whoever asks`, async (t) => {
    const saga = await context.world.begin('trip', { [refused]: ['refuse'] });
    const cause = { code: 'sold_out', message: 'There is nothing left.', class: 'refused' };
    t.deepEqual(await saga.handle.result(), { status: 'compensated', cause });
    t.deepEqual(await saga.effects(), [...expected.effects]);
    t.deepEqual(await saga.steps(), { ...expected.steps });
    t.like(await saga.row(), { status: 'compensated', cause, attempts: 0 });
    await assertAgrees(t, saga);
    t.regex(
      JSON.stringify(await saga.handle.query('__temporal_workflow_metadata')),
      /compensated.*since sold_out: There is nothing left/,
    );
  });
}

for (const step of ['reserve', 'pay'] as const) {
  test.serial(
    `${step} is tried again after about 1, 2 and 4 s, each attempt and its cause in the row while it is`,
    async (t) => {
      const { env, world } = context;
      let before = Date.now();
      const saga = await world.begin('trip', { [step]: ['fail', 'fail', 'fail'] });
      const cause = { code: 'jammed', message: 'It is jammed.', class: 'transient' };
      let attempts = 0;
      for (const nominalMs of [1_000, 2_000, 4_000]) {
        attempts += 1;
        const pauseMs = jittered(nominalMs, { id: saga.processId, attempt: attempts });
        await until(async () => (await saga.row()).attempts === attempts, { what: `attempt ${attempts}` });
        const { retryAt, lastError } = await saga.row();
        t.deepEqual(lastError, cause);
        t.true(retryAt !== null && retryAt.getTime() >= before + pauseMs && retryAt.getTime() <= Date.now() + pauseMs);
        before = Date.now();
        await env.sleep(pauseMs);
      }
      await until(async () => (await saga.row()).status === 'waiting', { what: 'the wait' });
      t.like(
        (await saga.view()).history.find((execution) => execution.step === step),
        { status: 'completed', attempts: 4, error: null },
      );
      t.deepEqual(
        (await saga.effects()).filter((effect) => effect.startsWith(step)).length,
        1,
        'failed attempts leave nothing',
      );
      t.like(await saga.row(), { attempts: 0, lastError: null, retryAt: null });
    },
  );
}

test.serial('a step that keeps failing, or whose outcome stays unknown, is undone as well', async (t) => {
  const [jammed, lost] = [
    await context.world.begin('trip', { reserve: four('fail') }),
    await context.world.begin('trip', { pay: four('effective') }),
  ];
  t.like(await jammed.handle.result(), { status: 'compensated', cause: { code: 'jammed', class: 'transient' } });
  t.deepEqual(await jammed.effects(), ['undoReserve']);
  t.like(await lost.handle.result(), { status: 'compensated', cause: { code: 'lost', class: 'unknown' } });
  t.deepEqual(await lost.effects(), ['reserve', 'undoReserve', 'pay x4', 'undoPay x1']);
  t.like((await lost.view()).history[1], {
    step: 'pay',
    status: 'compensated',
    attempts: 4,
    error: { code: 'lost' },
    compensation: { attempts: 1, error: null },
  });
});

test.serial('a call that does not answer in time has an unknown outcome', async (t) => {
  const saga = await context.world.begin('visit', { knock: [() => new Promise(() => {})] });
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'timed_out', class: 'unknown' } });
  t.deepEqual(await saga.effects(), ['knock x1', 'undoKnock x1']);
});

test.serial('an answer no to a second attempt undoes the step, since the first may still arrive', async (t) => {
  const saga = await context.world.begin('trip', { pay: ['lose', 'refuse'] });
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'undoPay x1']);
});

test.serial('what was declared so is undone side by side, each undo with its own attempts', async (t) => {
  let meet = (): void => {};
  const other = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const saga = await context.world.begin('tour', {
    confirm: ['refuse'],
    undoHotel: ['fail', 'fail'],
    undoFlight: [
      async () => {
        meet();
      },
    ],
    undoCar: ['fail', () => other],
  });
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
  t.deepEqual((await saga.effects()).toSorted(), [
    'car',
    'flight x1',
    'hotel',
    'undoCar',
    'undoFlight x1',
    'undoHotel',
  ]);
  const undos = Object.fromEntries(
    (await saga.view()).history.map(({ step, compensation }) => [step, compensation?.attempts]),
  );
  t.deepEqual(undos, { hotel: 3, flight: 1, car: 2, confirm: undefined });
  await assertAgrees(t, saga);
});

test.serial('of undos side by side the others are done though one fails', async (t) => {
  const saga = await context.world.begin('tour', { confirm: ['refuse'], undoFlight: ['refuse'] });
  await until(async () => (await saga.row()).status === 'compensation_failed', { what: 'the failed undo' });
  t.deepEqual(await saga.steps(), {
    hotel: 'compensated',
    flight: 'compensation_failed',
    car: 'compensated',
    confirm: 'failed',
  });
  await saga.handle.signal('retryCompensation', { by: 'ann' });
  t.like(await saga.handle.result(), { status: 'compensated' });
  t.deepEqual((await saga.effects()).toSorted(), [
    'car',
    'flight x1',
    'hotel',
    'undoCar',
    'undoFlight x1',
    'undoHotel',
  ]);
});

test.serial(
  'steps that are joined are written together as far as they get; one that fails takes nothing back but itself',
  async (t) => {
    const saga = await context.world.begin('chain', { second: ['fail'] });
    t.like(await saga.handle.result(), { status: 'completed' });
    t.deepEqual(await saga.effects(), ['first', 'second', 'third']);
    const { revision, history } = await saga.view();
    t.is(revision, 4, 'taken over, then a write each, since the process is heard after an attempt that failed');
    t.deepEqual(
      history.map(({ attempts }) => attempts),
      [1, 2, 1],
    );
    const smooth = await context.world.begin('chain');
    await smooth.handle.result();
    t.is((await smooth.row()).revision, 2, 'taken over, and all steps');
    const refused = await context.world.begin('chain', { third: ['refuse'] });
    t.like(await refused.handle.result(), { status: 'compensated', cause: { code: 'sold_out' } });
    t.deepEqual(await refused.effects(), ['first', 'second', 'undoSecond', 'undoFirst']);
    await assertAgrees(t, saga);
    await assertAgrees(t, refused);
  },
);
