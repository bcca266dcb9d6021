import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import test from 'ava';
import { createStepActivity } from '../../src/activities/process/step.ts';
import { applyOutcomes } from '../../src/activities/process/step-row.ts';
import type {
  LoadedProcess,
  StepActivity,
  StepAnswer,
  StepCall,
} from '../../src/workflows/process/process.activities.ts';
import { openDb } from '../../src/postgres/client.ts';
import { applyAll, decideProcess } from '../../src/domain/process/decide.ts';
import type { ProcessEvent } from '../../src/domain/process/events.ts';
import { sagaType, type SagaType } from './saga-definitions.ts';
import { callAlone, type Ending } from './saga-steps.ts';
import { onDevServer } from './saga-servers.ts';
import { BY, TENANT, type Saga } from '../support/saga-world.ts';

// What becomes of the writes of a process when a worker dies between two of them, or is only believed to be dead.

const context = onDevServer();

/** One run of a workflow, as activities see it; its worker may be doubled. */
function createRun(): <Result>(call: () => Promise<Result>) => Promise<Result> {
  const environment = new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'saga', runId: randomUUID() } },
    { logger: new DefaultLogger('ERROR', () => {}) },
  );
  return async (call) => environment.run(call);
}

/** A process that one run has taken over. */
async function begun(type: SagaType = 'trip', script: Readonly<Record<string, readonly Ending[]>> = {}) {
  const saga = await context.world.begin(type, script, { isStarted: false });
  const run = createRun();
  const ref = { tenantId: TENANT, processId: saga.processId, type };
  const load = async (): Promise<LoadedProcess> =>
    (await run(() => context.world.rows.loadProcess(ref))) ?? Promise.reject(new Error('there is no row'));
  const callOf = ({ state, revision }: LoadedProcess, step: string): StepCall => ({
    ...ref,
    step,
    state,
    revision: revision + 1,
    now: Date.now(),
  });
  const perform = (activity: string, call: StepCall): Promise<StepAnswer> =>
    run(() => context.world.steps[activity]!(call));
  const cancelled = ({ state, revision }: LoadedProcess) => {
    const decision = decideProcess(sagaType(type), state, { type: 'cancel', ...BY }, Date.now());
    if (!decision.accepted) throw new Error(decision.refusal.detail);
    return { ...ref, state: applyAll(state, decision.events), revision: revision + 1, events: decision.events };
  };
  const save = (change: ReturnType<typeof cancelled>) => run(() => context.world.rows.saveProcess(change));
  return { saga, ref, run, load, callOf, perform, cancelled, save };
}
const effectsOf = async (saga: Saga): Promise<string> => (await saga.effects()).join(', ');
/** The process after an answer, as its workflow has it. */
function after(call: StepCall, answer: StepAnswer): LoadedProcess {
  if (answer.isSuperseded) throw new Error('superseded');
  return {
    revision: call.revision,
    state: applyOutcomes(
      sagaType(call.type),
      call.state,
      answer.settled.map(({ outcome }) => outcome),
      answer.settled[0]!.at,
    ).state,
  };
}

for (const ending of [undefined, 'refuse'] as const) {
  test(`a step that ${ending ?? 'succeed'}s and whose answer got lost is answered, not done, again`, async (t) => {
    const { saga, load, callOf, perform } = await begun('trip', ending === undefined ? {} : { reserve: [ending] });
    const call = callOf(await load(), 'reserve');
    const first = await perform('reserve', call);
    const row = await saga.row();
    t.deepEqual(await perform('reserve', { ...call, now: call.now + 60_000 }), first);
    t.deepEqual(await saga.row(), row);
    t.is(await effectsOf(saga), ending === undefined ? 'reserve' : '');
  });
}

test('joined steps whose answer got lost are all answered again, and none is done again', async (t) => {
  const { saga, load, callOf, perform } = await begun('chain', { third: ['refuse'] });
  const call = callOf(await load(), 'first');
  const answer = await perform('first', call);
  t.like(answer, { settled: { length: 3 } });
  t.deepEqual(await perform('first', call), answer);
  t.is(await effectsOf(saga), 'first, second');
});

test('an undo whose answer got lost is answered again, and not done again', async (t) => {
  const { saga, load, callOf, perform, cancelled, save } = await begun();
  const call = callOf(await load(), 'reserve');
  const reserved = after(call, await perform('reserve', call));
  const change = cancelled(reserved);
  t.is(await save(change), 'written');
  const undo = callOf(change, 'reserve');
  const first = await perform('undoReserve', undo);
  t.like(first, { settled: [{ outcome: { type: 'compensated', attempts: 1 } }] });
  t.deepEqual(await perform('undoReserve', undo), first);
  t.is(await effectsOf(saga), 'reserve, undoReserve');
  t.is((await saga.row()).status, 'cancelled');
});

test('a repeated task that knows of a later cancellation does not write over the step that took effect', async (t) => {
  const { saga, load, callOf, perform, cancelled, save } = await begun();
  const loaded = await load();
  await perform('reserve', callOf(loaded, 'reserve'));
  t.is(await save(cancelled(loaded)), 'superseded');
  t.like(await saga.steps(), { reserve: 'completed' });
  t.is(await save(cancelled(await load())), 'written');
  t.like(await saga.steps(), { reserve: 'compensating', pay: 'skipped' });
});

test('a repeated task that does not know of the cancellation that its first attempt knew does no step', async (t) => {
  const { saga, load, callOf, perform, cancelled, save } = await begun();
  const loaded = await load();
  t.is(await save(cancelled(loaded)), 'written');
  t.deepEqual(await perform('reserve', callOf(loaded, 'reserve')), { isSuperseded: true });
  t.is(await effectsOf(saga), '');
  t.is((await saga.row()).status, 'cancelled');
});

test('a decision written by an earlier attempt is recognised, also when that went on from there', async (t) => {
  const { load, callOf, perform, cancelled, save } = await begun();
  const call = callOf(await load(), 'reserve');
  const reserved = after(call, await perform('reserve', call));
  const change = cancelled(reserved);
  t.is(await save(change), 'written');
  t.is(await save(cancelled(reserved)), 'overtaken');
  await perform('undoReserve', callOf(change, 'reserve'));
  t.is(await save(cancelled(reserved)), 'overtaken');
});

test('a worker that is only believed to be dead does nothing more once another has taken the row over', async (t) => {
  const { saga, load, callOf, perform, cancelled, save } = await begun();
  const call = callOf(await load(), 'reserve');
  const held = after(call, await perform('reserve', call));
  const taken = await load(); // by the worker that took its place, under the same run
  for (const step of ['pay', 'pay']) {
    const started: ProcessEvent = { type: 'StepStarted', step, sequence: held.state.sequence + 1, at: Date.now() };
    t.deepEqual(await perform(step, callOf({ ...held, state: applyAll(held.state, [started]) }, step)), {
      isSuperseded: true,
    });
  }
  t.is(await save(cancelled(held)), 'superseded');
  t.is(await effectsOf(saga), 'reserve');
  t.is(await save(cancelled(taken)), 'written');
});

test('a run whose process another run has taken over does nothing more', async (t) => {
  const { saga, ref, load, callOf, perform, cancelled, save } = await begun();
  const loaded = await load();
  t.truthy(await createRun()(() => context.world.rows.loadProcess(ref)));
  t.deepEqual(await perform('reserve', callOf(loaded, 'reserve')), { isSuperseded: true });
  t.is(await save(cancelled(loaded)), 'superseded');
  t.is(await effectsOf(saga), '');
});

test('undos side by side are each written once, with attempts of their own', async (t) => {
  const { saga, load, callOf, perform, cancelled, save } = await begun('tour', { undoHotel: ['fail'] });
  let at = await load();
  for (const step of ['hotel', 'flight'] as const) {
    const isRemote = step === 'flight';
    const started: ProcessEvent[] = isRemote
      ? [{ type: 'StepStarted', step, sequence: at.state.sequence + 1, at: Date.now() }]
      : [];
    const call = callOf({ ...at, state: applyAll(at.state, started) }, step);
    at = after(call, await perform(step, call));
  }
  const change = cancelled(at);
  t.is(await save(change), 'written');
  const beside = (step: string): StepCall => ({ ...callOf(change, step), revision: change.revision, isParallel: true });
  await t.throwsAsync(perform('undoHotel', beside('hotel')), { message: 'It is jammed.' });
  t.like(await saga.row(), { attempts: 1, lastError: { code: 'jammed' } });
  await perform('undoFlight', beside('flight'));
  t.deepEqual(await perform('undoFlight', beside('flight')), { isSuperseded: true });
  t.like(await perform('undoHotel', beside('hotel')), { settled: [{ outcome: { type: 'compensated', attempts: 2 } }] });
  t.deepEqual(await perform('undoHotel', beside('hotel')), { isSuperseded: true });
  t.is((await saga.row()).status, 'cancelled');
  t.is(await effectsOf(saga), 'hotel, undoHotel, flight x1, undoFlight x1');
});

/** The call of a step that leaves the process, as its first attempt makes it. */
async function remoteCall() {
  const saga = await begun();
  const { load, callOf, perform } = saga;
  const first = callOf(await load(), 'reserve');
  const reserved = after(first, await perform('reserve', first));
  const started: ProcessEvent = {
    type: 'StepStarted',
    step: 'pay',
    sequence: reserved.state.sequence + 1,
    at: Date.now(),
  };
  return { ...saga, call: callOf({ ...reserved, state: applyAll(reserved.state, [started]) }, 'pay') };
}
const stepOf = (step: Parameters<typeof createStepActivity>[1]): StepActivity =>
  createStepActivity({ db: context.world.db, processType: sagaType }, step);

test('a call that was begun and never answered counts as an attempt, and the next one is told of it', async (t) => {
  const { saga, call, run } = await remoteCall();
  const told: number[] = [];
  const entered = Promise.withResolvers<void>();
  const dead = Promise.withResolvers<never>();
  const calls = [
    () => {
      entered.resolve();
      return dead.promise;
    },
    async () => [{ isDone: true as const }],
  ];
  const pay = stepOf({
    remote: callAlone((works) => {
      told.push(works[0]!.attempts);
      return calls.shift()!();
    }),
  });
  const unheard = run(() => pay(call)); // its worker dies here
  await entered.promise;
  t.like(await saga.row(), { attempts: 0 });
  t.like(await saga.steps(), { pay: 'running' });
  t.like(await run(() => pay(call)), { settled: [{ outcome: { type: 'completed', attempts: 2 } }] });
  t.deepEqual(told, [0, 1]);
  dead.reject(new Error('at last'));
  t.like(
    await unheard,
    { settled: [{ outcome: { type: 'completed', attempts: 2 } }] },
    'what comes too late changes nothing',
  );
});

test("a service that can't be reached is an attempt, PostgreSQL that can't be reached is none", async (t) => {
  const { saga, call, run } = await remoteCall();
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  await t.throwsAsync(
    run(() => stepOf({ remote: callAlone(() => Promise.reject(refused)) })(call)),
    { message: 'connect ECONNREFUSED' },
  );
  t.like(await saga.row(), { attempts: 1, lastError: { code: 'step_error' } });
  const away = openDb({
    url: 'postgres://nobody@127.0.0.1:1/none',
    poolSize: 1,
    applicationName: 'test',
  });
  await t.throwsAsync(
    run(() =>
      createStepActivity(
        { db: away, processType: sagaType },
        { remote: callAlone(async () => [{ isDone: true }]) },
      )(call),
    ),
    { message: /ECONNREFUSED/ },
  );
  await away.close();
  t.like(await saga.row(), { attempts: 1, status: 'running' });
});

test("a cause that PostgreSQL can't keep as it is, is kept as far as it can", async (t) => {
  const { saga, load, callOf, run } = await begun();
  const call = callOf(await load(), 'reserve');
  const fails = stepOf({ local: () => Promise.reject(new Error(`a\0b${'😀'.repeat(200)}`)) });
  await t.throwsAsync(
    run(() => fails(call)),
    { message: /^a b😀/ },
  );
  t.like(await saga.row(), { attempts: 1, lastError: { code: 'step_error' } });
});

test('a process without a row is not tried for ever', async (t) => {
  const { load, callOf, perform } = await begun();
  const call = callOf(await load(), 'reserve');
  t.like(await t.throwsAsync(perform('reserve', { ...call, processId: randomUUID() })), {
    nonRetryable: true,
    type: 'process_not_found',
  });
});
