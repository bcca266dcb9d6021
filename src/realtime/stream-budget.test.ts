import test from 'ava';
import fc from 'fast-check';
import { createStreamBudget, type StreamBudget, type StreamLimits, type StreamPlace } from './stream-budget.ts';

const limits: StreamLimits = { max: 1_000, tenantShare: 0.5, callerShare: 0.5, maxOfUser: 20 };

function takeAll(budget: StreamBudget, tenantId: string, nextSubject: (n: number) => string): StreamPlace[] {
  const places: StreamPlace[] = [];
  for (;;) {
    const place = budget.take({ tenantId, subject: nextSubject(places.length), role: 'service' });
    places.push(place);
    if (!place.isTaken) return places;
  }
}
const codeOf = (places: readonly StreamPlace[]) => {
  const last = places.at(-1);
  return last?.isTaken === false ? last.code : undefined;
};

test('a tenant that opens all it can gets its share, and leaves every other one theirs', (t) => {
  const budget = createStreamBudget(limits);
  const taken: number[] = [];
  for (const tenantId of ['a', 'b', 'c', 'd']) {
    const places = takeAll(budget, tenantId, String);
    t.is(codeOf(places), 'tenant_streams_exhausted');
    taken.push(places.length - 1);
  }
  t.deepEqual(taken, [500, 250, 125, 63]);
  t.true(budget.take({ tenantId: 'e', subject: 's', role: 'user' }).isTaken);
});

test('a caller that opens all it can leaves others of its tenant theirs', (t) => {
  const budget = createStreamBudget(limits);
  const places = takeAll(budget, 'a', () => 'greedy');
  t.is(codeOf(places), 'too_many_streams');
  t.is(places.length - 1, 334);
  t.true(budget.take({ tenantId: 'a', subject: 'other', role: 'service' }).isTaken);
});

test('a user has a limit of its own, and places that were given back are free, once each', (t) => {
  const budget = createStreamBudget({ ...limits, maxOfUser: 2 });
  const ada = { tenantId: 'a', subject: 'ada', role: 'user' };
  const [first, second] = [budget.take(ada), budget.take(ada)];
  t.deepEqual(budget.take(ada), { isTaken: false, code: 'too_many_streams' });
  if (!first.isTaken || !second.isTaken) return t.fail();
  first.release();
  first.release();
  t.true(budget.take(ada).isTaken);
  t.false(budget.take(ada).isTaken);
});

test('shares of one give all to whoever comes first', (t) => {
  const places = takeAll(createStreamBudget({ ...limits, tenantShare: 1, callerShare: 1 }), 'a', () => 's');
  t.is(places.length - 1, 1_000);
  t.is(codeOf(places), 'streams_exhausted');
});

test('whoever holds nothing is let in while others have been refused, whatever they did before', (t) => {
  const owner = fc.record({ tenantId: fc.constantFrom('a', 'b'), subject: fc.constantFrom('x', 'y', 'z') });
  fc.assert(
    fc.property(fc.array(fc.tuple(owner, fc.boolean()), { maxLength: 400 }), (moves) => {
      const budget = createStreamBudget({ ...limits, max: 40 });
      const taken: (() => void)[] = [];
      for (const [{ tenantId, subject }, isTaking] of moves) {
        const place = isTaking ? budget.take({ tenantId, subject, role: 'service' }) : undefined;
        if (place?.isTaken === true) taken.push(place.release);
        else taken.shift()?.();
      }
      return budget.take({ tenantId: 'c', subject: 'new', role: 'user' }).isTaken;
    }),
  );
  t.pass();
});
