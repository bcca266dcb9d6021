import test from 'ava';
import { actionOf, alertKindOf } from './action.ts';
import { PARKED_REMINDER_MS } from './advance.ts';
import {
  applyAll,
  beginProcess,
  decideProcess,
  applyOutcome,
  type ProcessCommand,
  type StepOutcome,
} from './decide.ts';
import { checkDefinition, type FailureClass, type ProcessDefinition } from './definition.ts';
import { executionOf, type ProcessState } from './state.ts';
import { isClosed, PROCESS_STATUSES, type ProcessStatus } from './statuses.ts';

const NOW = Date.UTC(2026, 0, 1);
const LIMIT_MS = 60_000;
const by = { by: 'ann', reason: 'because' };
const definition: ProcessDefinition = {
  type: 'trip',
  summary: 'Trip',
  steps: {
    reserve: { execute: 'reserve', compensate: 'release' },
    pay: { execute: 'pay', compensate: 'refund', isRemote: true },
    ship: { execute: 'ship', compensate: 'recall', skip: 'shipByHand', isPivot: true },
    arrive: { awaits: 'arrived', foundBy: 'rows', limitMs: () => LIMIT_MS, late: 'remind' },
  },
};
type Move = ProcessCommand | StepOutcome | { type: 'passTime'; afterMs?: number };

/** Plays outcomes and commands; answers the state, the types of the events and why a command was refused. */
function play(
  moves: readonly Move[],
  {
    of = definition,
    from = beginProcess(of, { data: {}, now: NOW }).state,
  }: { of?: ProcessDefinition; from?: ProcessState } = {},
) {
  let state = from;
  let now = from.updatedAt;
  let refused: string | null = null;
  const events: string[] = [];
  for (const move of moves) {
    if (move.type === 'passTime') now += move.afterMs ?? 0;
    const decided = isOutcome(move)
      ? { accepted: true as const, events: applyOutcome(of, state, move, now) }
      : decideProcess(of, state, move, now);
    refused = decided.accepted ? null : decided.refusal.code;
    if (!decided.accepted) continue;
    events.push(...decided.events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type)));
    state = applyAll(state, decided.events);
  }
  return { state, events, refused };
}
function isOutcome(move: Move): move is StepOutcome {
  return ['completed', 'failed', 'compensated', 'compensationFailed'].includes(move.type);
}
const done = (step: string): StepOutcome => ({ type: 'completed', step, attempts: 1, result: { [step]: 1 } });
const failed = (step: string, cause: FailureClass = 'refused', attempts = 1): StepOutcome => ({
  type: 'failed',
  step,
  attempts,
  cause: { code: 'no', message: 'No.', class: cause },
});
const undone = (step: string): StepOutcome => ({ type: 'compensated', step, attempts: 1 });
const stuck = (step: string): StepOutcome => ({
  type: 'compensationFailed',
  step,
  attempts: 4,
  cause: { code: 'jam', message: 'Jam.', class: 'transient' },
});
const cancel: ProcessCommand = { type: 'cancel', ...by };

const ways: Record<ProcessStatus, readonly Move[]> = {
  running: [done('reserve')],
  waiting: [done('reserve'), done('pay'), done('ship')],
  compensating: [done('reserve'), failed('pay')],
  compensation_failed: [done('reserve'), failed('pay'), stuck('reserve')],
  step_failed: [done('reserve'), done('pay'), failed('ship', 'unknown', 4)],
  completed: [done('reserve'), done('pay'), done('ship'), { type: 'receive', event: 'arrived', payload: {} }],
  compensated: [done('reserve'), failed('pay'), undone('reserve')],
  cancelled: [done('reserve'), cancel, undone('reserve')],
  abandoned: [done('reserve'), failed('pay'), stuck('reserve'), { type: 'abandon', ...by }],
};
const commands: Record<string, ProcessCommand> = {
  receive: { type: 'receive', event: 'arrived', payload: { door: 7 } },
  cancel,
  retryCompensation: { type: 'retryCompensation', ...by },
  skipCompensation: { type: 'skipCompensation', step: 'reserve', ...by },
  retryStep: { type: 'retryStep', ...by },
  skipStep: { type: 'skipStep', ...by },
  abandon: { type: 'abandon', ...by },
  reopen: { type: 'reopen', ...by },
};
const notParked = {
  retryCompensation: 'process_not_parked',
  skipCompensation: 'process_not_parked',
  retryStep: 'process_not_parked',
  skipStep: 'process_not_parked',
  abandon: 'process_not_parked',
};
/** What each command leads to, by status: the events, or the code of the refusal. */
const table: Partial<Record<ProcessStatus, Record<string, string>>> = {
  running: {
    ...notParked,
    receive: 'EventReceivedEarly',
    cancel: 'CancellationRequested, StepSkipped pay, CompensationStarted, StepCompensating reserve',
  },
  waiting: { ...notParked, receive: 'StepCompleted arrive, ProcessCompleted', cancel: 'past_point_of_no_return' },
  compensating: { ...notParked, receive: 'process_turned_back', cancel: 'process_turned_back' },
  compensation_failed: {
    receive: 'process_turned_back',
    cancel: 'process_turned_back',
    retryStep: 'process_not_parked',
    skipStep: 'process_not_parked',
    retryCompensation: 'CompensationRetried, StepCompensating reserve',
    skipCompensation: 'CompensationSkipped reserve, ProcessAbandoned',
    abandon: 'ProcessAbandoned',
  },
  step_failed: {
    receive: 'EventReceivedEarly',
    cancel: 'past_point_of_no_return',
    retryCompensation: 'process_not_parked',
    skipCompensation: 'process_not_parked',
    retryStep: 'StepRetried ship',
    skipStep: 'SkipStarted ship',
    abandon: 'ProcessAbandoned',
  },
  abandoned: { reopen: 'ProcessReopened reserve' },
};

for (const status of PROCESS_STATUSES) {
  test(`a process that is ${status} answers every command`, (t) => {
    const { state: from } = play(ways[status]);
    t.is(from.status, status);
    for (const [name, command] of Object.entries(commands)) {
      const { events, refused, state } = play([command], { from });
      const unnamed = name === 'reopen' ? 'process_not_abandoned' : 'process_closed';
      t.is(refused ?? events.join(', '), table[status]?.[name] ?? unnamed, name);
      if (refused !== null) t.is(state, from, `${name} changes nothing`);
    }
    t.deepEqual(play([{ type: 'passTime' }], { from }).events, [], 'time alone changes nothing before it is due');
    if (isClosed(status)) t.deepEqual(actionOf(definition, from), { type: 'end' });
  });
}

test("a step's result joins what the process knows, and the next step is registered before it runs", (t) => {
  const { state } = play([done('reserve')]);
  t.deepEqual(state.data, { reserve: 1 });
  t.like(executionOf(state, 'pay'), { status: 'pending', attempts: 0 });
  t.deepEqual(actionOf(definition, state), { type: 'execute', step: 'pay' });
});

test('a refusal is not undone, what failed otherwise may have taken effect and is', (t) => {
  const all = (cause: FailureClass, attempts: number) =>
    play([done('reserve'), failed('pay', cause, attempts)]).events.at(-1);
  t.is(all('refused', 1), 'StepCompensating reserve');
  t.is(all('unknown', 4), 'StepCompensating pay');
  t.is(all('transient', 4), 'StepCompensating pay');
  t.is(all('refused', 2), 'StepCompensating pay', 'its first attempt may still arrive');
});

test('every undo is attempted though others fail; the process then stands at the last that did', (t) => {
  const { state, events } = play([done('reserve'), done('pay'), failed('ship'), stuck('pay'), undone('reserve')]);
  t.deepEqual(events.slice(-4), [
    'StepCompensationFailed pay',
    'StepCompensating reserve',
    'StepCompensated reserve',
    'CompensationParked',
  ]);
  t.like(state, { status: 'compensation_failed', currentStep: 'pay', dueAt: NOW + PARKED_REMINDER_MS });
  t.is(alertKindOf(state), 'process_parked');
});

test('a skip does what its step would have left, and a step that has none is not skipped', (t) => {
  const { state: parked } = play(ways.step_failed);
  const { state: skipping } = play([commands['skipStep']!], { from: parked });
  t.like(skipping, { status: 'running', currentStep: 'ship' });
  t.like(actionOf(definition, skipping), { type: 'execute', step: 'ship' });
  t.is(play([cancel], { from: skipping }).refused, 'past_point_of_no_return');
  t.like(play([done('ship')], { from: skipping }).state, { status: 'waiting', currentStep: 'arrive' });
  t.like(play([failed('ship', 'transient', 4)], { from: skipping }).state, { status: 'step_failed' });
  const steps = { ...definition.steps, ship: { execute: 'ship', compensate: 'recall', isPivot: true } } as const;
  t.is(play([commands['skipStep']!], { of: { ...definition, steps }, from: parked }).refused, 'step_not_skippable');
});

test('a reopened process is as it was when it was abandoned, and goes on from there', (t) => {
  for (const status of ['step_failed', 'compensation_failed'] as const) {
    const { state: parked } = play(ways[status]);
    const { state: abandoned } = play([commands['abandon']!], { from: parked });
    t.deepEqual(play([commands['reopen']!], { from: abandoned }).state, {
      ...parked,
      sequence: parked.sequence + 2,
      updatedAt: abandoned.updatedAt,
    });
  }
  const { state: stopped } = play([...ways.step_failed, commands['abandon']!, commands['reopen']!]);
  t.is(alertKindOf(stopped), 'process_parked');
  t.is(play([commands['retryStep']!, done('ship')], { from: stopped }).state.status, 'waiting');
});

test('a process that was closed by skipping its last failed undo is reopened with all that was left undone', (t) => {
  const skip = (step: string): Move => ({ type: 'skipCompensation', step, ...by });
  const parked = [done('reserve'), done('pay'), failed('ship'), stuck('pay'), stuck('reserve')];
  const { state: abandoned } = play([...parked, skip('pay'), skip('reserve')]);
  t.is(abandoned.status, 'abandoned');
  const { state } = play([commands['reopen']!], { from: abandoned });
  t.like(state, { status: 'compensation_failed', currentStep: 'pay' });
  t.is(
    play([commands['retryCompensation']!, undone('pay'), undone('reserve')], { from: state }).state.status,
    'compensated',
  );
  const { state: again } = play([...parked, skip('pay'), commands['abandon']!, commands['reopen']!]);
  t.like(executionOf(again, 'pay'), { status: 'skipped' }, 'a skip that closed nothing stands');
  t.like(again, { status: 'compensation_failed', currentStep: 'reserve' });
});

test('a skip that an execution took before skips did anything goes on at once', (t) => {
  const { state: parked } = play(ways.step_failed);
  const { events } = play([{ type: 'skipStep', isBare: true, ...by }], { from: parked });
  t.is(events.join(', '), 'StepSkipped ship, StepRegistered arrive, WaitStarted arrive');
});

test('a retry of failed undos keeps their order, and a skipped one keeps a process from being all undone', (t) => {
  const { state: parked } = play([done('reserve'), done('pay'), failed('ship'), stuck('pay'), stuck('reserve')]);
  const { state: retried } = play([commands['retryCompensation']!], { from: parked });
  t.deepEqual(actionOf(definition, retried), { type: 'compensate', steps: ['pay'] });
  t.is(retried.currentStep, 'pay');
  t.is(play([undone('pay'), undone('reserve')], { from: retried }).state.status, 'compensated');
  const { state: skipped } = play([{ type: 'skipCompensation', step: 'pay', ...by }], { from: parked });
  t.like(skipped, { status: 'compensation_failed', currentStep: 'reserve' });
  t.like(executionOf(skipped, 'pay'), {
    status: 'skipped',
    decided: { command: 'skipCompensation', by: 'ann', reason: 'because', at: NOW },
  });
  t.is(play([commands['retryCompensation']!, undone('reserve')], { from: skipped }).state.status, 'abandoned');
  t.is(play([{ type: 'skipCompensation', step: 'ship', ...by }], { from: parked }).refused, 'unknown_step');
});

test('a pivot of unknown outcome is never turned back, also while it is tried again, until it is refused', (t) => {
  const { state: retried } = play([...ways.step_failed, commands['retryStep']!]);
  t.is(play([cancel], { from: retried }).refused, 'past_point_of_no_return');
  t.is(play([failed('ship', 'unknown', 4)], { from: retried }).state.status, 'step_failed');
  const { events } = play([failed('ship')], { from: retried });
  t.deepEqual(
    events,
    ['StepFailed ship', 'CompensationStarted', 'StepCompensating ship'],
    'what was tried before may still arrive',
  );
  t.is(
    play([failed('ship')], { from: play([done('reserve'), done('pay')]).state }).events.at(-1),
    'StepCompensating pay',
  );
});

test('a cancellation hears out the step that is under way, and undoes it', (t) => {
  const { state } = play([done('reserve')]);
  const started = applyAll(state, [{ type: 'StepStarted', step: 'pay', sequence: state.sequence + 1, at: NOW }]);
  const { state: asked } = play([cancel, cancel], { from: started });
  t.deepEqual(actionOf(definition, asked), { type: 'execute', step: 'pay' });
  t.like(play([done('pay')], { from: asked }).state, {
    status: 'compensating',
    currentStep: 'pay',
    cause: { code: 'cancelled', message: 'because' },
  });
  t.is(play([failed('pay'), undone('reserve')], { from: asked }).state.status, 'cancelled');
});

test('a wait ends with its event, early, twice or late, and reminds each day', (t) => {
  const arrived: ProcessCommand = { type: 'receive', event: 'arrived', payload: { door: 7 } };
  const early = play([arrived, arrived, ...ways.waiting]);
  t.like(early.state, { status: 'completed', data: { arrived: { door: 7 } } });
  t.is(early.events.filter((event) => event === 'EventReceivedEarly').length, 1);
  const late = play([
    ...ways.waiting,
    { type: 'passTime', afterMs: LIMIT_MS },
    { type: 'passTime', afterMs: PARKED_REMINDER_MS },
  ]);
  t.deepEqual(late.events.slice(-2), ['WaitOverdue arrive', 'WaitOverdue arrive']);
  t.is(alertKindOf(late.state), 'process_overdue');
  t.like(play([arrived], { from: late.state }).state, { status: 'completed', dueAt: null });
  t.is(play([{ type: 'receive', event: 'departed', payload: {} }]).refused, 'unknown_event');
});

test('a wait that may not be late fails with its time: back, or parked behind the pivot', (t) => {
  const wait = { awaits: 'arrived', foundBy: 'rows', limitMs: () => LIMIT_MS, late: 'fail' } as const;
  const late = { type: 'passTime', afterMs: LIMIT_MS } as const;
  const before: ProcessDefinition = { ...definition, steps: { reserve: definition.steps['reserve']!, arrive: wait } };
  t.like(play([done('reserve'), late], { of: before }).state, {
    status: 'compensating',
    currentStep: 'reserve',
    cause: { code: 'arrived_overdue' },
  });
  const behind: ProcessDefinition = { ...definition, steps: { ship: definition.steps['ship']!, arrive: wait } };
  const { state: parked } = play([done('ship'), late], { of: behind });
  t.like(parked, { status: 'step_failed', currentStep: 'arrive' });
  const { state: again } = play([commands['retryStep']!], { of: behind, from: parked });
  t.like(again, { status: 'waiting', dueAt: parked.updatedAt + LIMIT_MS });
  t.is(alertKindOf(again), null, 'it has all its time again');
  const told = play([commands['receive']!, commands['retryStep']!], { of: behind, from: parked });
  t.is(told.state.status, 'completed', 'what came late is there when it is waited for again');
});

test('who waits for an operator is told of again each day', (t) => {
  const { events, state } = play([
    ...ways.step_failed,
    { type: 'passTime', afterMs: PARKED_REMINDER_MS - 1 },
    { type: 'passTime', afterMs: 1 },
  ]);
  t.deepEqual(events.slice(-2), ['StepParked ship', 'ParkingOverdue']);
  t.is(state.dueAt, NOW + 2 * PARKED_REMINDER_MS);
});

test('an event that can not follow, and a definition that makes no sense, is a bug', (t) => {
  const { state } = play([]);
  t.throws(() => applyAll(state, [{ type: 'ProcessCompleted', sequence: state.sequence, at: NOW }]), {
    message: /can't follow/,
  });
  t.throws(() => applyAll(state, [{ type: 'StepStarted', step: 'pay', sequence: state.sequence + 1, at: NOW }]), {
    message: /never registered/,
  });
  t.throws(() => play([done('reserve')], { of: { ...definition, next: () => 'reserve' } }), { message: /taken twice/ });
  t.throws(() => play([done('reserve')], { of: { ...definition, next: () => 'sleep' } }), { message: /no step sleep/ });
  const { reserve, ship, arrive } = definition.steps;
  for (const steps of [
    {},
    { one: ship!, two: ship! },
    { reserve: reserve!, one: arrive!, two: arrive! },
    { one: { ...arrive!, awaits: 'cancel' } },
  ])
    t.throws(() => checkDefinition({ ...definition, steps }));
  t.notThrows(() => checkDefinition(definition));
});
