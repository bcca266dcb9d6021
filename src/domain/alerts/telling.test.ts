import test from 'ava';
import { firstTelling, type Told } from './telling.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const raised: Told = {
  id: 'new',
  undelivered: ['email:a@example.org', 'webhook'],
  told: [],
  toldAs: null,
  isFlapping: false,
  endToldAt: null,
};

test('an alert without one before it is told everywhere, under its own id', (t) => {
  t.deepEqual(firstTelling(raised, undefined, NOW), {
    undelivered: raised.undelivered,
    told: [],
    toldAs: 'new',
    isFlapping: false,
  });
});

test('an alert goes on where the one before it was not told to be over, under the id that is known there', (t) => {
  const before = {
    ...raised,
    id: 'old',
    toldAs: 'oldest',
    isFlapping: true,
    undelivered: ['email:late@example.org'],
    told: ['email:a@example.org', 'email:gone@example.org', 'webhook:https://old.example.org'],
  };
  t.deepEqual(firstTelling({ ...raised, undelivered: [...raised.undelivered, 'email:b@example.org'] }, before, NOW), {
    undelivered: ['email:late@example.org', 'email:b@example.org'],
    told: before.told,
    toldAs: 'oldest',
    isFlapping: true,
  });
});

test('a condition that is back within an hour after its end was told comes and goes', (t) => {
  const flaps = (minutes: number) =>
    firstTelling(raised, { ...raised, id: 'old', undelivered: [], endToldAt: minutesAgo(minutes) }, NOW).isFlapping;
  t.deepEqual([59, 61].map(flaps), [true, false]);
});
