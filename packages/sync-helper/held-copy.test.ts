import test from 'ava';
import { heldAfter, judge, type CopyEvent } from './held-copy.ts';

const [tenantId, userId] = ['acme', '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01'];

function event(userVersion: number, eventId = `e${userVersion}`, isDeletion = false): CopyEvent {
  return { tenantId, userId, userVersion, eventId, isDeletion };
}

const after = (...events: CopyEvent[]) => events.reduce<ReturnType<typeof heldAfter> | undefined>(heldAfter, undefined);

const CASES: readonly [string, CopyEvent[], CopyEvent, ReturnType<typeof judge>['kind']][] = [
  ['the first event is new', [], event(3), 'new'],
  ['the event that is held is a repetition', [event(1)], event(1), 'repeated'],
  ['a newer version is new', [event(1)], event(2), 'new'],
  ['an older version is stale', [event(1), event(2)], event(1), 'stale'],
  ['the held version in another event is new', [event(1)], event(1, 'retry'), 'new'],
  ['each event of the held version is a repetition', [event(1), event(1, 'retry')], event(1), 'repeated'],
  ['a deletion is new, whatever its version', [event(2)], event(2, 'gone', true), 'new'],
  ['a deletion of what was never held is new', [], event(2, 'gone', true), 'new'],
  ['the deletion that is held is a repetition', [event(2, 'gone', true)], event(2, 'gone', true), 'repeated'],
  ['a deletion in another event is new', [event(2, 'gone', true)], event(2, 'again', true), 'new'],
  ['whatever follows a deletion is stale', [event(2, 'gone', true)], event(3), 'stale'],
];
for (const [title, before, next, kind] of CASES) {
  test(title, (t) => {
    t.is(judge(after(...before), next).kind, kind);
  });
}

test('heldAfter keeps the newest events of one version only', (t) => {
  const held = after(event(1), ...Array.from({ length: 60 }, (_, index) => event(2, `retry${index}`)));
  t.is(held?.userVersion, 2);
  t.deepEqual([held?.eventIds.length, held?.eventIds[0], held?.eventIds.at(-1)], [50, 'retry10', 'retry59']);
});
