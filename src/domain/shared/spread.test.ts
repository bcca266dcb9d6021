import test from 'ava';
import fc from 'fast-check';
import { jittered, shareOf } from './spread.ts';

const ids = Array.from({ length: 6_000 }, (_, index) => `019ac0de-0000-7000-8000-${String(index).padStart(12, '0')}`);

test('shareOf spreads ids that hardly differ evenly', (t) => {
  const minutes = Array.from({ length: 30 }, () => 0);
  for (const id of ids) minutes[Math.floor(shareOf(id) * 30)]! += 1;
  t.true(Math.max(...minutes) < 300, `200 a minute are even: ${minutes.join(' ')}`);
  t.true(Math.min(...minutes) > 100, minutes.join(' '));
});

test('jittered changes a pause by a fifth at most, the same way each time', (t) => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(20), fc.integer({ min: 0, max: 86_400_000 }), (id, attempt, delayMs) => {
      const pauseMs = jittered(delayMs, { id, attempt });
      return (
        pauseMs === jittered(delayMs, { id, attempt }) &&
        pauseMs >= Math.floor(delayMs * 0.8) &&
        pauseMs <= Math.ceil(delayMs * 1.2)
      );
    }),
  );
  const pauses = ids.map((id) => jittered(10_000, { id, attempt: 1 }));
  t.true(Math.min(...pauses) < 8_100);
  t.true(Math.max(...pauses) > 11_900);
  t.not(jittered(10_000, { id: ids[0]!, attempt: 1 }), jittered(10_000, { id: ids[0]!, attempt: 2 }));
});
