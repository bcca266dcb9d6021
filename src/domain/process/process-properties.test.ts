import test from 'ava';
import fc from 'fast-check';
import { actionOf, type ProcessAction } from './action.ts';
import {
  applyAll,
  beginProcess,
  decideProcess,
  applyOutcome,
  type ProcessCommand,
  type StepOutcome,
} from './decide.ts';
import {
  isWaiting,
  stepAfter,
  stepOf,
  type ActingStep,
  type FailureClass,
  type ProcessDefinition,
  type WaitingStep,
} from './definition.ts';
import type { ProcessEvent } from './events.ts';
import { executionOf, type ProcessState } from './state.ts';
import { isClosed, isParked } from './statuses.ts';

/** What is next succeeds at once. */
const CALM: Drawn = { end: 'completed', attempts: 1, leaves: false, drops: false };

const NOW = Date.UTC(2026, 0, 1);
const by = { by: 'ann', reason: 'because' };

/** What an attempt comes to; `leaves`: whether it took effect, where the answer does not tell. */
interface Drawn {
  readonly end: 'completed' | FailureClass;
  readonly attempts: number;
  readonly leaves: boolean;
  /** Whether a step that completes takes the next one off, where the steps are in the data. */
  readonly drops: boolean;
}
type Moment =
  | { readonly type: 'act' }
  | { readonly type: 'begin' }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'command'; readonly command: ProcessCommand };

const definitions: fc.Arbitrary<ProcessDefinition> = fc
  .record({
    steps: fc.array(
      fc.record({
        isWait: fc.nat(3).map((one) => one === 0),
        hasUndo: fc.nat(3).map((one) => one > 0),
        hasSkip: fc.boolean(),
        isRemote: fc.boolean(),
        parks: fc.boolean(),
        late: fc.constantFrom('fail', 'remind'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    pivot: fc.option(fc.nat(5)),
    compensation: fc.constantFrom('last_in_first_out', 'parallel'),
    jumps: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }),
    isInData: fc.boolean(),
  })
  .map(({ steps, pivot, compensation, jumps, isInData }): ProcessDefinition => {
    const declared = steps.map(
      ({ isWait, hasUndo, hasSkip, isRemote, parks, late }, index): [string, ActingStep | WaitingStep] => [
        `s${index}`,
        isWait && !isInData
          ? { awaits: `e${index}`, foundBy: 'rows', limitMs: () => 1_000, late }
          : {
              execute: 'do',
              ...(hasSkip ? { skip: 'skip' } : {}),
              ...(hasUndo ? { compensate: 'undo' } : {}),
              ...(isRemote ? { isRemote } : {}),
              ...(parks ? { parksOn: ['no'] } : {}),
              ...(index === pivot ? { isPivot: true } : {}),
            },
      ],
    );
    const type = { type: 'drawn', summary: '', compensation } as const;
    if (isInData) return { ...type, ...inData(new Map(declared)) };
    return {
      ...type,
      steps: Object.fromEntries(declared),
      next: (completed) => {
        const index = Number(completed?.slice(1));
        const jump = jumps[index] ?? 1;
        return jump === 1 ? undefined : (declared[index + jump]?.[0] ?? null);
      },
    };
  });

/** The steps as a process has them in its data, which says what was taken off meanwhile. */
function inData(
  declared: ReadonlyMap<string, ActingStep | WaitingStep>,
): Pick<ProcessDefinition, 'steps' | 'stepIn' | 'next'> {
  return {
    steps: {},
    stepIn: (_, step) => {
      const found = declared.get(step);
      return found === undefined || isWaiting(found) ? undefined : found;
    },
    next: (completed, { off }) => {
      const names = [...declared.keys()].filter((step) => !(Array.isArray(off) && off.includes(step)));
      return names[completed === null ? 0 : names.indexOf(completed) + 1] ?? null;
    },
  };
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  end: fc.constantFrom('completed', 'completed', 'completed', 'refused', 'unknown', 'transient'),
  attempts: fc.integer({ min: 1, max: 4 }),
  leaves: fc.boolean(),
  drops: fc.boolean(),
});
const names = fc.nat(6).map((index) => `s${index}`);
const commands: fc.Arbitrary<ProcessCommand> = fc.oneof(
  fc.nat(6).map((index): ProcessCommand => ({ type: 'receive', event: `e${index}`, payload: { told: index } })),
  fc
    .constantFrom('cancel', 'retryCompensation', 'retryStep', 'skipStep', 'abandon', 'reopen')
    .map((type): ProcessCommand => ({ type, ...by })),
  names.map((step): ProcessCommand => ({ type: 'skipCompensation', step, ...by })),
);
const moments: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Moment>({ type: 'act' }) },
  { weight: 1, arbitrary: fc.constant<Moment>({ type: 'begin' }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 1_000, 90_000_000).map((ms): Moment => ({ type: 'pass', ms })) },
  { weight: 2, arbitrary: commands.map((command): Moment => ({ type: 'command', command })) },
);

/** A process among the effects that its steps really have, and what must hold of both. */
class Played {
  readonly definition: ProcessDefinition;
  readonly effects = new Set<string>();
  readonly outcomes: Drawn[];
  state: ProcessState;
  now = NOW;
  /** As it was before it was abandoned last. */
  parked: ProcessState | null = null;
  hasUndone = false;
  readonly reopened = new Set<string>();

  constructor(definition: ProcessDefinition, outcomes: readonly Drawn[]) {
    this.definition = definition;
    this.outcomes = [...outcomes];
    this.state = beginProcess(definition, { data: {}, now: NOW }).state;
  }

  pass(ms: number): void {
    this.now += ms;
    this.command({ type: 'passTime' });
  }

  command(command: ProcessCommand | { type: 'passTime' }): boolean {
    const decision = decideProcess(this.definition, this.state, command, this.now);
    if (decision.accepted) this.take(decision.events);
    return decision.accepted;
  }

  /** Begins the step that is next, as one does whose calls leave the process. */
  begin(): void {
    const action = actionOf(this.definition, this.state);
    if (action.type !== 'execute' || executionOf(this.state, action.step)?.status !== 'pending') return;
    const declared = stepOf(this.definition, action.step, this.state.data);
    if (isWaiting(declared) || declared.isRemote !== true) return;
    this.take([{ type: 'StepStarted', step: action.step, sequence: this.state.sequence + 1, at: this.now }]);
  }

  /** Does what is next, if anything is. */
  act(): ProcessAction['type'] {
    const action = actionOf(this.definition, this.state);
    if (action.type === 'execute') this.begin();
    const steps = action.type === 'execute' ? [action.step] : action.type === 'compensate' ? action.steps : [];
    for (const step of steps) this.settle(step, action.type === 'compensate');
    return action.type;
  }

  private settle(step: string, isUndo: boolean): void {
    const { end, attempts, leaves, drops } = this.outcomes.shift() ?? CALM;
    const cause = { code: 'no', message: 'No.', class: end === 'completed' ? 'unknown' : end } as const;
    // A refusal at once leaves nothing; after other attempts these may still arrive.
    const mayLeave = !isUndo && (end === 'unknown' || end === 'transient' || (end === 'refused' && attempts > 1));
    if (!isUndo && (end === 'completed' || (mayLeave && leaves))) this.effects.add(step);
    if (isUndo && end === 'completed') this.effects.delete(step);
    const outcome: StepOutcome =
      end === 'completed'
        ? isUndo
          ? { type: 'compensated', step, attempts }
          : { type: 'completed', step, attempts, result: drops ? { off: this.without(step) } : {} }
        : { type: isUndo ? 'compensationFailed' : 'failed', step, attempts, cause };
    this.take(applyOutcome(this.definition, this.state, outcome, this.now));
  }

  /** The steps that are off the itinerary, with the one after `step`. */
  private without(step: string): readonly unknown[] {
    const { off } = this.state.data;
    const next = stepAfter(this.definition, step, this.state.data);
    return [...(Array.isArray(off) ? off : []), ...(next === null ? [] : [next])];
  }

  private take(events: readonly ProcessEvent[]): void {
    for (const event of events) {
      check(event.sequence === this.state.sequence + 1, 'the sequence grows by one');
      const isReopening = event.type === 'ProcessReopened' && this.state.status === 'abandoned';
      check(!isClosed(this.state.status) || isReopening, 'a closed process changes only by being reopened');
      if (event.type === 'StepStarted' || event.type === 'StepRetried')
        check(executionOf(this.state, event.step)?.status !== 'completed', 'what was done is not done again');
      if (event.type === 'ProcessAbandoned') this.parked = this.state;
      if (event.type === 'CompensationStarted')
        check(!this.isPivotPossible(), 'nothing is undone past the pivot, or while it may be done');
      if (event.type === 'StepCompensating') this.checkOrder(event.step);
      this.state = applyAll(this.state, [event]);
      if (isReopening) this.checkReopened();
    }
    this.checkEnd();
  }

  /** It is as it was before it was abandoned; where the last failed undo was skipped, all that were are open again. */
  private checkReopened(): void {
    const { status, currentStep, history, dueAt } = this.state;
    this.reopened.add(status);
    check(isParked(status) && dueAt !== null && dueAt > this.now, 'a reopened process waits for an operator again');
    if (!isParked(this.parked?.status ?? 'running') || this.parked === null) return;
    const hadFailed = this.parked.history.some((execution) => execution.status === 'compensation_failed');
    if (status === 'step_failed' || hadFailed) {
      check(currentStep === this.parked.currentStep, 'it is parked where it was abandoned');
      check(JSON.stringify(history) === JSON.stringify(this.parked.history), 'with the same steps');
    } else
      check(
        history.every((execution) => execution.status !== 'skipped' || execution.compensation === null),
        'nothing is left undone by a skip',
      );
  }

  private isPivotPossible(): boolean {
    return this.state.history.some(({ step, status, error, decided }) => {
      const declared = stepOf(this.definition, step, this.state.data);
      if (isWaiting(declared) || declared.isPivot !== true) return false;
      return (
        status === 'completed' ||
        status === 'running' ||
        (error !== null && error.class !== 'refused') ||
        decided?.command === 'skipStep'
      );
    });
  }

  private checkOrder(step: string): void {
    this.hasUndone = true;
    if (this.definition.compensation === 'parallel') return;
    const taken = this.state.history.map((execution) => execution.step);
    const later = this.state.history
      .slice(taken.indexOf(step) + 1)
      .filter((execution) => this.isUndoable(execution.step));
    check(
      later.every(({ status }) => status !== 'completed'),
      'what was done last is undone first',
    );
    const action = actionOf(this.definition, this.state);
    if (action.type === 'compensate') check(action.steps.length === 1, 'one at a time');
  }

  private checkEnd(): void {
    const { status, history } = this.state;
    const left = [...this.effects].filter((step) => this.isUndoable(step));
    if (status === 'compensated' || status === 'cancelled')
      check(left.length === 0, `${status}, and ${left.join()} is not undone`);
    if (status === 'completed') check(!this.hasUndone, 'completed only when no undo began');
    if (history.some((execution) => execution.status === 'compensation_failed'))
      check(status !== 'completed' && status !== 'compensated' && status !== 'cancelled', 'a failed undo is visible');
  }

  private isUndoable(step: string): boolean {
    const declared = stepOf(this.definition, step, this.state.data);
    return !isWaiting(declared) && declared.compensate !== undefined;
  }
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(rule);
}

/** An operator who does not give up, and a world in which everything succeeds from now on. */
function bringToAnEnd(played: Played): void {
  for (let round = 0; round < 100 && !isClosed(played.state.status); round += 1) {
    if (played.act() !== 'rest') continue;
    const { status, currentStep } = played.state;
    const declared = stepOf(played.definition, currentStep ?? '', played.state.data);
    if (isParked(status))
      played.command(status === 'step_failed' ? { type: 'retryStep', ...by } : { type: 'retryCompensation', ...by });
    else if (isWaiting(declared)) played.command({ type: 'receive', event: declared.awaits, payload: {} });
  }
}

test('any process keeps its promises and comes to an end, whatever its steps come to and whoever says what', (t) => {
  const ends = new Map<string, number>();
  const reopened = new Set<string>();
  fc.assert(
    fc.property(
      definitions,
      fc.array(drawn, { maxLength: 20 }),
      fc.array(moments, { maxLength: 25 }),
      (definition, outcomes, course) => {
        const played = new Played(definition, outcomes);
        for (const moment of course) {
          if (moment.type === 'act') played.act();
          else if (moment.type === 'begin') played.begin();
          else if (moment.type === 'pass') played.pass(moment.ms);
          else played.command(moment.command);
          const { dueAt } = played.state;
          if (dueAt !== null && dueAt <= played.now) played.pass(0);
          check(played.state.dueAt === null || played.state.dueAt > played.now, 'what is due does not stay due');
        }
        played.outcomes.length = 0;
        bringToAnEnd(played);
        check(isClosed(played.state.status), `it ends: ${played.state.status} at ${played.state.currentStep}`);
        check(!played.command({ type: 'cancel', ...by }), 'a closed process refuses');
        ends.set(played.state.status, (ends.get(played.state.status) ?? 0) + 1);
        const isAbandoned = played.state.status === 'abandoned';
        check(played.command({ type: 'reopen', ...by }) === isAbandoned, 'what was abandoned is reopened, no other');
        if (isAbandoned) {
          check(!played.command({ type: 'reopen', ...by }), 'an open process is not reopened');
          bringToAnEnd(played);
          check(isClosed(played.state.status), `it ends again: ${played.state.status}`);
        }
        for (const status of played.reopened) reopened.add(status);
      },
    ),
    { numRuns: 3_000, seed: 5 },
  );
  t.deepEqual([...ends.keys()].toSorted(), ['abandoned', 'cancelled', 'compensated', 'completed']);
  t.deepEqual([...reopened].toSorted(), ['compensation_failed', 'step_failed'], 'wherever it was abandoned');
});

test('a process that nobody disturbs and nothing fails completes every step that its definition leads to', (t) => {
  fc.assert(
    fc.property(definitions, (definition) => {
      const played = new Played(definition, []);
      bringToAnEnd(played);
      return played.state.status === 'completed' && played.state.history.every(({ status }) => status === 'completed');
    }),
    { seed: 5 },
  );
  t.pass();
});
