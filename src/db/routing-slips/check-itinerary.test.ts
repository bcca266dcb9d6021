import test from 'ava';
import { z } from 'zod';
import { faultsOf } from './check-itinerary.ts';
import type { SlipActivities } from './slip-activity.ts';

const ACTIVITIES = {
  pack: {
    summary: 'Packs',
    arguments: z.strictObject({ sku: z.string().min(1), pieces: z.array(z.strictObject({ count: z.int().min(1) })) }),
    result: z.strictObject({ parcel: z.string() }),
    roles: ['service'],
  },
  plan: {
    summary: 'Plans',
    arguments: z.strictObject({}),
    result: z.strictObject({}),
    roles: ['service'],
    revises: true,
  },
} as const satisfies SlipActivities;

type Leg = { activity: string; arguments: Record<string, unknown> };
const places = (itinerary: Leg[], variables: Record<string, unknown> = {}): string[] =>
  faultsOf(ACTIVITIES, { itinerary, variables }).map(({ place }) => place);
const pack = (more: Record<string, unknown> = {}): Leg => ({
  activity: 'pack',
  arguments: { sku: 'A-1', pieces: [{ count: 1 }], ...more },
});

test('each fault is told with its place', (t) => {
  t.deepEqual(places([pack(), pack({ sku: '' })]), ['itinerary[1].arguments.sku']);
  t.deepEqual(places([pack({ pieces: [{ count: 1 }, { count: 0 }] })]), ['itinerary[0].arguments.pieces[1].count']);
  t.deepEqual(places([pack({ colour: 'red' })]), ['itinerary[0].arguments.colour']);
  t.deepEqual(places([pack(), { activity: 'fly', arguments: {} }]), ['itinerary[1].activity']);
  t.deepEqual(places([{ activity: 'toString', arguments: {} }]), ['itinerary[0].activity']);
  t.deepEqual(places([pack({ sku: { $variable: 'a', or: 'b' } })]), ['itinerary[0].arguments.sku']);
  t.deepEqual(places([{ activity: 'plan', arguments: JSON.parse('{"__proto__":1}') }]), [
    'itinerary[0].arguments.__proto__',
  ]);
});

test('a reference is checked as far as its variable is known', (t) => {
  const byReference = pack({ sku: { $variable: 'sku' } });
  t.deepEqual(places([byReference], { sku: 'A-1' }), []);
  t.deepEqual(places([byReference], { sku: 7 }), ['itinerary[0].arguments.sku'], 'it does not fit');
  t.deepEqual(places([byReference]), ['itinerary[0].arguments.sku'], 'nobody gives it');
  t.deepEqual(places([byReference], JSON.parse('{"__proto__":{"sku":"A-1"}}')), ['itinerary[0].arguments.sku']);
  t.deepEqual(places([pack(), pack({ sku: { $variable: 'parcel' } })]), [], 'an earlier leg gives it');
  t.deepEqual(places([pack({ sku: { $variable: 'parcel' } }), pack()]), ['itinerary[0].arguments.sku'], 'a later one');
  t.deepEqual(places([{ activity: 'plan', arguments: {} }, byReference]), [], 'a leg may put one before it');
  t.deepEqual(places([pack(), pack({ sku: { $variable: 'parcel' }, pieces: [{ count: 0 }] })]), [
    'itinerary[1].arguments.pieces[0].count',
  ]);
});

test('what is too long or too deep is refused', (t) => {
  let deep: unknown = 1;
  for (let level = 0; level < 11; level += 1) deep = [deep];
  t.deepEqual(places([pack({ sku: deep })]), ['itinerary[0].arguments']);
  t.deepEqual(places([pack()], { deep }), ['variables.deep']);
  for (let level = 0; level < 50_000; level += 1) deep = [deep];
  t.deepEqual(places([pack(), pack({ sku: deep })], { deep }), ['variables.deep', 'itinerary[1].arguments']);
  t.deepEqual(places([pack()], { text: 'x'.repeat(70_000) }), ['itinerary']);
});
