import test from 'ava';
import { until } from '../support/until.ts';
import { onTimeSkippingServer } from './saga-servers.ts';
import { BY, type Saga } from '../support/saga-world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const context = onTimeSkippingServer();

/** A process that waits for its event; the server's clock is ahead of ours once a test has skipped time. */
async function waiting(type: 'trip' | 'permit'): Promise<Saga> {
  const { env, world } = context;
  const saga = await world.begin(type, {}, { now: await env.currentTimeMs() });
  await until(async () => (await saga.row()).status === 'waiting', { what: 'the wait' });
  return saga;
}

test.serial('an event in time ends the wait, and what it tells joins what the process knows', async (t) => {
  const saga = await waiting('permit');
  t.like(await saga.view(), { status: 'waiting', currentStep: 'await_grant' });
  t.like(await saga.handle.executeUpdate('granted', { args: [{ number: 'P-7' }] }), {
    status: 'running',
    currentStep: 'issue',
  });
  t.like(await saga.handle.result(), { status: 'completed' });
  t.like(await saga.row(), { status: 'completed', data: { granted: { number: 'P-7' } } });
});

test.serial('an event that comes before its step waits for it, and counts once however often it is told', async (t) => {
  let tell = async (): Promise<void> => {};
  const saga = await context.world.begin('permit', { apply: [() => tell()] }, { isStarted: false });
  tell = async () => {
    for (const number of ['P-1', 'P-2']) await saga.handle.signal('granted', { number });
  };
  await saga.start();
  t.like(await saga.handle.result(), { status: 'completed' });
  const events = await saga.events();
  t.like(await saga.row(), { data: { granted: { number: 'P-1' } } });
  t.is(
    events.filter((event) => event.endsWith('await_grant')).length,
    events.includes('WaitStarted await_grant') ? 3 : 2,
    'registered and completed',
  );
});

test.serial('an event that is told twice in the wait counts once', async (t) => {
  const saga = await waiting('permit');
  await Promise.all([
    saga.handle.executeUpdate('granted', { args: [{ number: 'P-1' }] }),
    saga.handle.signal('granted', { number: 'P-2' }),
  ]);
  t.like(await saga.handle.result(), { status: 'completed' });
  t.is((await saga.events()).filter((event) => event === 'StepCompleted await_grant').length, 1);
});

test.serial('a wait that may not be late turns the process back when its time is up', async (t) => {
  const saga = await waiting('permit');
  t.like(await saga.handle.result(), { status: 'compensated', cause: { code: 'granted_overdue', class: 'refused' } });
  t.deepEqual(await saga.effects(), ['apply', 'undoApply']);
  t.deepEqual(await saga.steps(), { apply: 'compensated', await_grant: 'failed' });
});

test.serial('a wait that may be late reminds operators, each day, and still ends with its event', async (t) => {
  const { env } = context;
  const saga = await waiting('trip');
  await env.sleep(HOUR_MS + 1_000);
  await until(async () => (await saga.alert('process_overdue'))?.count === 1, { what: 'the first reminder' });
  t.like(await saga.view(), { status: 'waiting', currentStep: 'arrive' });
  await env.sleep(DAY_MS);
  await until(async () => (await saga.alert('process_overdue'))?.count === 2, { what: 'the second reminder' });
  await saga.handle.signal('arrived', { door: 7 });
  t.like(await saga.handle.result(), { status: 'completed' });
  t.like(await saga.alert('process_overdue'), { status: 'resolved' });
});

test.serial('a cancellation in a wait undoes what was done before it', async (t) => {
  const saga = await waiting('permit');
  await saga.handle.executeUpdate('cancel', { args: [BY] });
  t.like(await saga.handle.result(), { status: 'cancelled', cause: { code: 'cancelled', message: 'because' } });
  t.deepEqual(await saga.steps(), { apply: 'compensated', await_grant: 'skipped' });
});
