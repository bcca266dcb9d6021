import { WorkflowNotFoundError } from '@temporalio/client';
import test, { type ExecutionContext } from 'ava';
import type { SagaType } from '../processes/saga-definitions.ts';
import { BY, createEffects, insertSaga, type Saga } from '../support/saga-world.ts';
import { until } from '../support/until.ts';
import { untilEach } from './end-state.ts';
import { walk } from './walk.ts';
import { createCrashWorld } from './crash-world.ts';
import type { World } from '../support/world.ts';
import { spawnWorker, type Extra, type TestProcess } from '../support/processes.ts';

const TIMEOUT_MS = 900_000;
/** The first look at the row. */
const BEGINS = /process_states/;

test('a worker killed at any statement of a process with calls undoes it all, last first, nothing twice', async (t) => {
  const { sagas, points } = await walkThrough(t, { type: 'trip', refused: 'ship', status: 'compensated' });
  for (const statement of ['effects', 'outside', 'COMMIT'])
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );
  for (const saga of sagas) {
    await assertOnce(t, saga, { local: ['reserve', 'undoReserve'], calls: ['pay', 'undoPay'] });
    t.deepEqual(await saga.steps(), { reserve: 'compensated', pay: 'compensated', ship: 'failed' });
    const undos = (await saga.events()).filter((event) => event.startsWith('StepCompensated'));
    t.deepEqual(undos, ['StepCompensated pay', 'StepCompensated reserve']);
  }
});

test('a worker killed at any statement of undos side by side does each of them, and none twice', async (t) => {
  const { sagas } = await walkThrough(t, { type: 'tour', refused: 'confirm', status: 'compensated' });
  for (const saga of sagas) {
    await assertOnce(t, saga, { local: ['car', 'hotel', 'undoCar', 'undoHotel'], calls: ['flight', 'undoFlight'] });
    t.deepEqual(await saga.steps(), {
      hotel: 'compensated',
      flight: 'compensated',
      car: 'compensated',
      confirm: 'failed',
    });
    t.is((await saga.events()).filter((event) => event.startsWith('StepCompensated')).length, 3);
  }
});

test('a cancellation that comes while a worker dies undoes exactly what was done, or comes too late', async (t) => {
  const { sagas } = await walkThrough(t, { type: 'tour', status: 'cancelled' });
  const ends = new Set<string>();
  for (const saga of sagas) {
    const { status } = await saga.row();
    ends.add(status);
    const effects = (await saga.effects()).map((effect) => effect.split(' ')[0] ?? '');
    if (status === 'completed') t.deepEqual(effects, ['hotel', 'car', 'confirm', 'flight'], saga.processId);
    else
      for (const step of ['Hotel', 'Flight', 'Car'])
        t.is(countOf(effects, step.toLowerCase()), countOf(effects, `undo${step}`), `${step} of ${saga.processId}`);
  }
  t.true(ends.has('cancelled'));
});

const countOf = (effects: readonly string[], name: string): number =>
  effects.filter((effect) => effect === name).length;

/**
 * Kills workers at every statement of processes of a type, in which one step is refused, or which are cancelled on
 * their way, and answers how these ended.
 */
async function walkThrough(
  t: ExecutionContext,
  { type, refused, status }: { type: SagaType; refused?: string; status: 'compensated' | 'cancelled' },
): Promise<{ sagas: Saga[]; points: string[] }> {
  t.timeout(TIMEOUT_MS);
  const world = await createSagas(t);

  const sagas = new Map<string, Saga>();
  const isDone = async (processId: string): Promise<boolean> => {
    const is = (await sagas.get(processId)?.row())?.status;
    return is === status || is === 'completed';
  };
  const { targets, points, kills } = await walk({
    world,
    start: spawnSagaWorker,
    from: BEGINS,
    isDone,
    begin: async (processIds) => {
      for (const processId of processIds) {
        const saga = await insertSaga(world, {
          processId,
          type,
          data: refused === undefined ? {} : { refused },
          now: Date.now(),
        });
        sagas.set(processId, saga);
        await saga.start();
        if (status === 'cancelled') await cancelOnceBegun(saga);
      }
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  await spawnSagaWorker(world);
  await untilEach(targets, isDone, 'the undo');
  for (const saga of sagas.values()) t.like(await saga.handle.result(), { status: (await saga.row()).status });
  return { sagas: [...sagas.values()], points };
}

/** Cancels a process that has called somebody, wherever it is by then: held before or after a statement, or further. */
async function cancelOnceBegun(saga: Saga): Promise<void> {
  await until(async () => (await saga.steps())['car'] === 'completed', {
    what: 'the step after the call',
    timeoutMs: 1_000,
  }).catch(() => {});
  await saga.handle.signal('cancel', BY).catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
}

/** A world for the processes of tests. */
async function createSagas(t: ExecutionContext): Promise<World> {
  const world = await createCrashWorld(t);
  await createEffects(world.databaseUrl);
  return world;
}

/** Starts a worker that carries them out. */
const spawnSagaWorker = (world: World, extra: Extra = {}): Promise<TestProcess> =>
  spawnWorker(world, { ...extra, entry: 'test/crash/saga-worker.ts' });

/**
 * What is done in the transaction of its outcome was done once; who is called elsewhere was called at least once, and
 * knows it as one call.
 */
async function assertOnce(
  t: ExecutionContext,
  saga: Saga,
  { local, calls }: { local: readonly string[]; calls: readonly string[] },
): Promise<void> {
  const effects = await saga.effects();
  t.deepEqual(effects.filter((effect) => !effect.includes(' ')).toSorted(), [...local], saga.processId);
  t.deepEqual(
    effects.filter((effect) => effect.includes(' ')).map((effect) => effect.split(' ')[0]),
    [...calls],
  );
}
