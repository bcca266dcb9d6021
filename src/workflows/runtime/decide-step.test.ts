import test from 'ava';
import fc from 'fast-check';
import { accept, refuse } from '../../domain/shared/decision.ts';
import { decideStep } from './decide-step.ts';
import type { Decider } from './decider.ts';

/** A meter: each full hour is due by itself, and costs a coin of those that were put in. */
interface MeterKind {
  readonly state: { readonly coins: number; readonly paidUntil: number };
  readonly command: { readonly type: 'insert'; readonly coins: number } | { readonly type: 'takeBack' };
  readonly event: { readonly type: 'Inserted' | 'TakenBack' | 'Charged'; readonly coins: number };
  readonly settings: { readonly hourMs: number };
}

const meter: Decider<MeterKind> = {
  decide({ coins, paidUntil }, command, { now, settings }) {
    if (command.type === 'insert') return accept({ type: 'Inserted', coins: command.coins });
    if (command.type === 'takeBack')
      return coins > 0 ? accept({ type: 'TakenBack', coins }) : refuse('unknown_event', 'There is no coin.');
    const hours = Math.min(coins, Math.max(0, Math.floor((now - paidUntil) / settings.hourMs)));
    return hours > 0 ? accept({ type: 'Charged', coins: hours }) : accept();
  },
  evolve: ({ coins, paidUntil }, event) => {
    if (event.type === 'Inserted') return { coins: coins + event.coins, paidUntil };
    return { coins: coins - event.coins, paidUntil: paidUntil + (event.type === 'Charged' ? event.coins : 0) };
  },
};
const settings = { hourMs: 1 };
const insert = (coins: number): MeterKind['command'] => ({ type: 'insert', coins });

test('what was due before a command came has happened before it', (t) => {
  const { state, events, answers } = decideStep(
    meter,
    { state: { coins: 2, paidUntil: 0 }, settings },
    [{ type: 'takeBack' }],
    2,
  );
  t.deepEqual(
    events.map(({ type }) => type),
    ['Charged'],
  );
  t.deepEqual(answers, [{ accepted: false, refusal: { code: 'unknown_event', detail: 'There is no coin.' } }]);
  t.deepEqual(state, { coins: 0, paidUntil: 2 });
});

test('what has become due by a command happens after it, in the same step', (t) => {
  const { events } = decideStep(meter, { state: { coins: 0, paidUntil: 0 }, settings }, [insert(3)], 2);
  t.deepEqual(events, [
    { type: 'Inserted', coins: 3 },
    { type: 'Charged', coins: 2 },
  ]);
});

test('a command finds what those before it led to, and its sender learns of all that happened', (t) => {
  const { answers, events } = decideStep(
    meter,
    { state: { coins: 0, paidUntil: 9 }, settings },
    [{ type: 'takeBack' }, insert(1), { type: 'takeBack' }],
    9,
  );
  t.deepEqual(
    answers.map(({ accepted }) => accepted),
    [false, true, true],
  );
  t.deepEqual(answers[2], { accepted: true, outcome: { before: { coins: 1, paidUntil: 9 }, events } });
});

test('a step is its events folded, and answers each command, whatever was told', (t) => {
  const commands = fc.array(
    fc.oneof(fc.constant<MeterKind['command']>({ type: 'takeBack' }), fc.nat({ max: 5 }).map(insert)),
  );
  fc.assert(
    fc.property(
      fc.nat({ max: 9 }),
      fc.nat({ max: 9 }),
      commands,
      fc.nat({ max: 20 }),
      (coins, paidUntil, told, now) => {
        const before = { coins, paidUntil };
        const { state, events, answers } = decideStep(meter, { state: before, settings }, told, now);
        t.deepEqual(
          events.reduce<MeterKind['state']>((one, event) => meter.evolve(one, event), before),
          state,
        );
        t.is(answers.length, told.length);
        t.is(answers.filter(({ accepted }) => accepted).length, events.filter(({ type }) => type !== 'Charged').length);
        t.deepEqual(decideStep(meter, { state, settings }, [], now).events, [], 'nothing is left that is due');
      },
    ),
  );
});
