import test from 'ava';
import { actionOf } from '../process/action.ts';
import {
  applyAll,
  applyOutcome,
  beginProcess,
  decideProcess,
  type ProcessCommand,
  type StepOutcome,
} from '../process/decide.ts';
import type { ProcessData } from '../process/definition.ts';
import type { ProcessState } from '../process/state.ts';
import { stepsAhead } from '../process/timeline.ts';
import { keptTraits, legName, readLegName, routingSlipProcess, type LegTraits } from './routing-slip-process.ts';

const NOW = Date.UTC(2026, 0, 1);
const by = { by: 'ann', reason: 'because' };
const HERE: LegTraits = { hasUndo: true };

function slip(...legs: readonly LegTraits[]): ProcessState {
  const named = legs.map(
    (traits, index) => [legName({ number: index + 1, activity: 'pack' }), keptTraits(traits)] as const,
  );
  const data = { itinerary: named.map(([name]) => name), ...Object.fromEntries(named) };
  return beginProcess(routingSlipProcess, { data, now: NOW }).state;
}
const after = (state: ProcessState, outcome: StepOutcome): ProcessState =>
  applyAll(state, applyOutcome(routingSlipProcess, state, outcome, NOW));
const done = (state: ProcessState, result: ProcessData = {}): ProcessState =>
  after(state, { type: 'completed', step: state.currentStep ?? '', attempts: 1, result });
const failed = (state: ProcessState, code: string): ProcessState =>
  after(state, {
    type: 'failed',
    step: state.currentStep ?? '',
    attempts: 1,
    cause: { code, message: 'No.', class: 'refused' },
  });
const undone = (state: ProcessState): ProcessState =>
  after(state, { type: 'compensated', step: state.currentStep ?? '', attempts: 1 });
function told(state: ProcessState, command: ProcessCommand): ProcessState {
  const decision = decideProcess(routingSlipProcess, state, command, NOW);
  if (!decision.accepted) throw new Error(decision.refusal.code);
  return applyAll(state, decision.events);
}
const statuses = ({ history }: ProcessState): string[] => history.map(({ step, status }) => `${step} ${status}`);

test('an activity may come twice, and each leg is done and undone for itself', (t) => {
  let state = done(done(slip(HERE, HERE, HERE)));
  t.deepEqual(statuses(state), ['1:pack completed', '2:pack completed', '3:pack pending']);
  state = failed(state, 'sold_out');
  t.deepEqual(actionOf(routingSlipProcess, state), { type: 'compensate', steps: ['2:pack'] });
  state = undone(undone(state));
  t.is(state.status, 'compensated');
});

test('a leg may revise what follows it, and the revised itinerary is what is ahead', (t) => {
  const state = done(slip(HERE, HERE, HERE), {
    itinerary: ['1:pack', '4:send', '3:pack'],
    '4:send': { isPivot: true },
  });
  t.is(state.currentStep, '4:send');
  t.deepEqual(stepsAhead(routingSlipProcess, state), ['3:pack']);
  const refused = failed(done(state), 'sold_out');
  t.is(refused.status, 'step_failed', 'behind the pivot that was put on the slip nothing is undone');
});

test('a leg that ends the itinerary completes the slip', (t) => {
  t.is(done(slip(HERE, HERE), { itinerary: ['1:pack'] }).status, 'completed');
});

test('a leg without an undo is not undone', (t) => {
  const state = failed(done(done(slip(HERE, {}, HERE))), 'sold_out');
  t.deepEqual(actionOf(routingSlipProcess, state), { type: 'compensate', steps: ['1:pack'] });
});

test('an activity that is taken out of the code parks its slips, which are retried, skipped or cancelled', (t) => {
  const parked = failed(done(slip(HERE, { ...HERE, canSkip: true }, HERE)), 'activity_missing');
  t.like(parked, { status: 'step_failed', currentStep: '2:pack', cause: null });
  t.deepEqual(actionOf(routingSlipProcess, told(parked, { type: 'retryStep', ...by })), {
    type: 'execute',
    step: '2:pack',
  });
  t.is(done(told(parked, { type: 'skipStep', ...by })).currentStep, '3:pack');
  const cancelled = told(parked, { type: 'cancel', ...by });
  t.deepEqual(actionOf(routingSlipProcess, cancelled), { type: 'compensate', steps: ['1:pack'] });
  t.is(undone(cancelled).status, 'cancelled');
});

test('a failed undo does not stop the others', (t) => {
  const turned = failed(done(done(slip(HERE, HERE, HERE))), 'sold_out');
  const stuck = after(turned, {
    type: 'compensationFailed',
    step: '2:pack',
    attempts: 4,
    cause: { code: 'activity_missing', message: 'Gone.', class: 'refused' },
  });
  t.deepEqual(actionOf(routingSlipProcess, stuck), { type: 'compensate', steps: ['1:pack'] });
  t.like(undone(stuck), { status: 'compensation_failed', currentStep: '2:pack' });
});

test('names of legs are read as they are written', (t) => {
  t.is(legName({ number: 12, activity: 'send_welcome' }), '12:send_welcome');
  t.deepEqual(readLegName('12:send_welcome'), { number: 12, activity: 'send_welcome' });
});
