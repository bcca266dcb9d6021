import test from 'ava';
import { startRestartablePostgres } from '../support/restartable-postgres.ts';
import { until } from '../support/until.ts';
import { BY, createSagaWorld, type Saga } from '../support/saga-world.ts';

/** More than any step has, with the two that a local activity makes before it waits by timers. */
const ENOUGH_TIMERS = 4;
const ENOUGH_ATTEMPTS = 6;
/** How long the processes wait for their events, in seconds. */
const WAIT_S = 3_600;

/** Whether the activity that a process is at was tried more often than a step is. */
async function isTriedEnough({ handle }: Saga): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  const { raw } = await handle.describe();
  const pauses =
    events?.filter(
      (event) =>
        event.timerStartedEventAttributes &&
        Number(event.timerStartedEventAttributes.startToFireTimeout?.seconds) < WAIT_S,
    ) ?? [];
  return (
    pauses.length >= ENOUGH_TIMERS ||
    raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= ENOUGH_ATTEMPTS) === true
  );
}

test('while PostgreSQL is away longer than all attempts take, nothing is parked, undone or lost', async (t) => {
  t.timeout(300_000);
  const postgres = await startRestartablePostgres();
  t.teardown(() => postgres.remove());
  const world = await createSagaWorld(t, { databaseUrl: postgres.url });

  const entered = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ] as const;
  const away = Promise.withResolvers<void>();
  const held = (index: 0 | 1 | 2) => [
    async () => {
      entered[index].resolve();
      await away.promise;
    },
  ];
  const told = await world.begin('permit');
  const doing = await world.begin('trip', { reserve: held(0) });
  const calling = await world.begin('trip', { pay: held(1) });
  const undoing = await world.begin('permit', { undoApply: held(2) });
  for (const saga of [told, undoing])
    await until(async () => (await saga.row()).status === 'waiting', { what: 'the wait' });
  await undoing.handle.signal('cancel', BY);
  await Promise.all(entered.map(({ promise }) => promise));

  await postgres.kill();
  away.resolve();
  await told.handle.signal('granted', { number: 'P-1' });
  const sagas = [told, doing, calling, undoing];
  for (const saga of sagas)
    await until(() => isTriedEnough(saga), { what: `attempts of ${saga.type}`, timeoutMs: 120_000 });
  await postgres.start();

  t.like(await told.handle.result(), { status: 'completed' });
  t.like(await undoing.handle.result(), { status: 'cancelled' });
  for (const saga of [doing, calling]) {
    await until(async () => (await saga.row()).status === 'waiting', { what: 'the wait for the arrival' });
    await saga.handle.signal('arrived');
    t.like(await saga.handle.result(), { status: 'completed' });
  }
  for (const saga of sagas) t.false((await saga.events()).some((event) => /Failed|Parked/.test(event)));
  t.deepEqual(await told.effects(), ['apply', 'issue']);
  t.deepEqual(await undoing.effects(), ['apply', 'undoApply']);
  t.deepEqual(await doing.effects(), ['reserve', 'ship', 'pay x1']);
  t.deepEqual(
    await calling.effects(),
    ['reserve', 'ship', 'pay x2'],
    'the call whose answer could not be written is made again',
  );
});
