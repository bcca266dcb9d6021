import test from 'ava';
import fc from 'fast-check';
import type { NewLeg } from '../../src/db/routing-slips/check-itinerary.ts';
import { fileScope } from '../support/file-scope.ts';
import { createSlipWorld, leg, type CallEnding, type Slip, type SlipWorld } from '../support/slip-world.ts';
import { until } from '../support/until.ts';

// Slips as they may come, carried by a real workflow: what was done is undone when they turn back, and only then.

const RUNS = 40;
const SEED = 7;
const ENDS = ['completed', 'compensated', 'step_failed', 'compensation_failed'];
const scope = fileScope();
let world: SlipWorld;
test.before(async () => {
  world = await createSlipWorld(scope);
});

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'for ever', '__proto__') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('noted', 'city', 'nobody', '__proto__').map((name) => ({ $variable: name })),
  },
);
const legs: fc.Arbitrary<NewLeg> = fc.oneof(
  { weight: 6, arbitrary: text.map((drawn) => leg('note', { text: drawn })) },
  { weight: 2, arbitrary: text.map((drawn) => leg('call', { text: drawn })) },
  { weight: 1, arbitrary: fc.constant(leg('refuse')) },
  { weight: 1, arbitrary: fc.constant(leg('seal')) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        keep: fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
        notes: fc.array(fc.constantFrom('new', 'newer'), { maxLength: 2 }),
      })
      .map((drawn) => leg('revise', drawn)),
  },
);
const drawn = fc.record({
  itinerary: fc.array(legs, { minLength: 1, maxLength: 6 }),
  calls: fc.array(fc.constantFrom<CallEnding>('refuse', 'lose'), { maxLength: 1 }),
});

/** The names of legs in what was done for a slip, each once: a call may be made again. */
function namesIn(effects: readonly string[], kind: 'done' | 'undone'): string[] {
  const own = effects.filter((effect) => effect.startsWith('undo ') === (kind === 'undone'));
  return [...new Set(own.map((effect) => effect.replace('undo ', '').split(' ')[0] ?? ''))];
}

async function check(slip: Slip): Promise<string | null> {
  const [effects, { status }, legsByName] = [await slip.effects(), await slip.row(), await slip.legs()];
  const [done, undone] = [namesIn(effects, 'done'), namesIn(effects, 'undone')];
  const failed = Object.keys(legsByName).filter((name) => legsByName[name] === 'compensation_failed');
  if (status === 'completed' || status === 'step_failed') return undone.length === 0 ? null : 'something is undone';
  const isInReverse = JSON.stringify(undone) === JSON.stringify(done.toReversed());
  if (!isInReverse) return `undone is ${undone.join()} of ${done.join()}`;
  return (status === 'compensation_failed') === failed.length > 0 ? null : 'what failed does not show';
}

test('any slip completes, or is undone in reverse as far as it was taken, or waits for an operator', async (t) => {
  const samples = fc.sample(drawn, { numRuns: RUNS, seed: SEED });
  const ends = new Map<string, number>();
  const slips = await Promise.all(
    samples.map(async ({ itinerary, calls }) => ({
      slip: await world.send(itinerary, { city: 'Oslo' }, calls),
      itinerary,
    })),
  );
  for (const { slip, itinerary } of slips) {
    let status = '';
    await until(async () => ENDS.includes((status = (await slip.row()).status)), { what: JSON.stringify(itinerary) });
    ends.set(status, (ends.get(status) ?? 0) + 1);
    t.is(await check(slip), null, `${status}: ${JSON.stringify(itinerary)} ${JSON.stringify(await slip.effects())}`);
  }
  t.deepEqual([...ends.keys()].toSorted(), ENDS.toSorted(), 'every end is reached');
});
