import test from 'ava';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { audit } from '../chaos/books.ts';
import { fileScope } from '../support/file-scope.ts';
import { FAULTY_CALLS, faultyPorts, remoteProviders, type Fault, type Faults } from '../support/faulty-ports.ts';
import { createOrderWorld, type OrderWorld } from '../support/order-world.ts';
import { addProduct, play, type Course, type Played } from './operator.ts';

// R6 with its effects: wherever calls that fail, and operators who decide anything that they may, leave an order, moves
// of the API alone bring it to an end in which nothing is left over and money, stock and shipments agree.

const scope = fileScope();
/** As many of `MUG`, which every order world has. */
const RECEIVED = 1_000;
const COURSES = 24;
/** As many as the connections of a world serve. */
const AT_ONCE = 24;

const faults: fc.Arbitrary<Fault> = fc.record({
  call: fc.constantFrom(...FAULTY_CALLS),
  when: fc.constantFrom('before', 'after'),
  isUnknown: fc.nat(2).map((one) => one > 0),
});
const courses: fc.Arbitrary<Course> = fc.record({
  isRefused: fc.nat(3).map((one) => one === 0),
  isCancelled: fc.nat(5).map((one) => one === 0),
  isRefunded: fc.boolean(),
  faults: fc.array(faults, { minLength: 1, maxLength: 3 }),
  healedAfter: fc.integer({ min: 0, max: 5 }),
  choices: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20 }),
});

/** Courses that must be among them: given up at the shipment, at an undo, and at a refund, and settled each way. */
const EXAMPLES: readonly Course[] = (['accept', 'void', 'refund'] as const).flatMap((call) =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((move): Course => ({
    isRefused: call === 'void',
    isCancelled: false,
    isRefunded: true,
    faults: [
      { call, when: 'before', isUnknown: true },
      { call: call === 'void' ? 'refund' : call, when: 'before', isUnknown: true },
    ],
    healedAfter: call === 'refund' ? 3 : 1,
    choices: call === 'refund' ? [0, move, 2, move] : [2, move],
  })),
);

/** Plays them side by side: most of their time they wait for the next attempt. */
async function playAll(world: OrderWorld, troubles: Faults, seed: number): Promise<readonly Played[]> {
  const sku = await addProduct(world, RECEIVED);
  const drawn = [...EXAMPLES, ...fc.sample(courses, { seed, numRuns: COURSES })];
  const limit = pLimit(AT_ONCE);
  return Promise.all(drawn.map((course) => limit(() => play(world, troubles, { sku, course }))));
}

test('whatever fails and whoever decides, the API brings every order to an end with its books right', async (t) => {
  const troubles: Faults = new Map();
  const world = await createOrderWorld(scope, { ports: (ours) => faultyPorts(ours, troubles) });
  const played = await playAll(world, troubles, 1);
  t.deepEqual(await audit(world.system, RECEIVED), []);
  t.true(
    played.some(({ moves }) => moves.some((move) => move.startsWith('settle'))),
    'some were settled',
  );
  t.true(
    played.some(({ moves }) => moves.some((move) => move.startsWith('reopening'))),
    'some were reopened',
  );
});

test('the same with a bank and a carrier elsewhere, whose books agree but for what was done by hand', async (t) => {
  const troubles: Faults = new Map();
  const { bank, carrier, ports } = remoteProviders(['FR']);
  const world = await createOrderWorld(scope, { ports: () => faultyPorts(ports, troubles) });
  const played = await playAll(world, troubles, 2);
  t.deepEqual(await audit(world.system, RECEIVED, { isOnLedger: false }), []);
  for (const { orderId, moves } of played) {
    const isByHand = moves.some((move) => /write_off|skip-step|skip-compensation/.test(move));
    const { body: order } = await world.api.ask('GET', `/orders/${orderId}`, { role: 'admin' });
    const isDelivered = order['status'] === 'completed';
    const payment = bank.payments.get(`order:${orderId}:authorise`);
    const keptMinor = payment?.status === 'captured' ? payment.amountMinor - payment.refundedMinor : 0;
    if (!isByHand && !isDelivered) t.is(keptMinor, 0, moves.join(', '));
    if (!isByHand && !isDelivered && !moves.includes('lost') && !moves.includes('returned'))
      t.not(carrier.shipments.get(orderId)?.status, 'accepted', moves.join(', '));
    t.not(payment?.status, isByHand ? 'declined' : 'authorised', moves.join(', '));
  }
});
