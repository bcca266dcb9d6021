import test from 'ava';
import { PoisonError, type BusMessage } from './bus.ts';
import { deliverAll, type Delivery, type DeliveryOutcome } from './delivery.ts';

function message(key: string, n: number): BusMessage {
  return { tenantId: 'acme', messageId: `${key}${n}`, topic: 'topic', key, payload: '' };
}

function delivery(
  handle: Delivery['handle'],
  rest: Partial<Delivery> = {},
): Delivery & { outcomes: [string, DeliveryOutcome][] } {
  const outcomes: [string, DeliveryOutcome][] = [];
  return {
    handle,
    park: async () => {},
    retryDelaysMs: [0, 0],
    signal: new AbortController().signal,
    observe: ({ messageId }, outcome) => void outcomes.push([messageId, outcome]),
    outcomes,
    ...rest,
  };
}

test('deliverAll does not let a failing key hold back another', async (t) => {
  const others = Promise.withResolvers<void>();
  const seen: string[] = [];
  const done = await deliverAll(
    [message('a', 0), message('b', 0), message('a', 1), message('b', 1)],
    delivery(async ({ messageId }) => {
      if (messageId === 'a0') await others.promise;
      seen.push(messageId);
      if (messageId === 'b1') others.resolve();
    }),
  );
  t.is(done, 4);
  t.deepEqual(seen, ['b0', 'b1', 'a0', 'a1']);
});

test('deliverAll tries a failing message once more than there are delays, and poison once', async (t) => {
  const options = delivery(async ({ messageId }) => {
    throw messageId === 'a0' ? new Error('not today') : new PoisonError('malformed_event', 'never');
  });
  t.is(await deliverAll([message('a', 0), message('a', 1)], options), 2);
  t.deepEqual(options.outcomes, [
    ['a0', 'failed'],
    ['a0', 'failed'],
    ['a0', 'failed'],
    ['a0', 'parked'],
    ['a1', 'failed'],
    ['a1', 'parked'],
  ]);
});

test('deliverAll delivers a message again that could not be parked', async (t) => {
  let isAway = true;
  const options = delivery(
    async () => {
      if (isAway) throw new Error('away');
    },
    {
      retryDelaysMs: [],
      park: async () => {
        isAway = false;
        throw new Error('away too');
      },
    },
  );
  t.is(await deliverAll([message('a', 0)], options), 1);
  t.deepEqual(
    options.outcomes.map(([, outcome]) => outcome),
    ['failed', 'parking_failed', 'done'],
  );
});

test('deliverAll counts no attempt that failed because the infrastructure was away', async (t) => {
  const isAway = new Error('away');
  const failures = [isAway, new Error('not today'), isAway];
  const options = delivery(
    async () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
    },
    { retryDelaysMs: [0], isInfrastructureAway: (error) => error === isAway },
  );
  t.is(await deliverAll([message('a', 0)], options), 1);
  t.deepEqual(
    options.outcomes.map(([, outcome]) => outcome),
    ['failed', 'failed', 'failed', 'done'],
  );
});

test('deliverAll gives back a message whose infrastructure stays away when it is aborted', async (t) => {
  const abort = new AbortController();
  const done = await deliverAll(
    [message('a', 0)],
    delivery(
      async () => {
        abort.abort();
        throw new Error('away');
      },
      { retryDelaysMs: [], isInfrastructureAway: () => true, signal: abort.signal, park: async () => t.fail() },
    ),
  );
  t.is(done, 0);
});

test('deliverAll counts up to the first message that is not done with when it is aborted', async (t) => {
  const abort = new AbortController();
  const done = await deliverAll(
    [message('a', 0), message('b', 0), message('a', 1), message('a', 2)],
    delivery(
      async ({ messageId }) => {
        if (messageId !== 'a1') return;
        abort.abort();
        throw new Error('not today');
      },
      { signal: abort.signal },
    ),
  );
  t.is(done, 2);
});

test('deliverAll hands over in batches of a hundred, and one by one what is left alone', async (t) => {
  const sizes: number[] = [];
  const options = delivery(async () => {}, { handleBatch: async ({ length }) => void sizes.push(length) });
  t.is(
    await deliverAll(
      Array.from({ length: 201 }, (_, n) => message('a', n)),
      options,
    ),
    201,
  );
  t.deepEqual(sizes, [100, 100]);
  t.deepEqual(new Set(options.outcomes.map(([, outcome]) => outcome)), new Set(['done']));
  t.is(options.outcomes.length, 201);
});

test('deliverAll delivers a failing batch one by one, and tells of each once', async (t) => {
  const seen: string[] = [];
  const options = delivery(
    async ({ messageId }) => {
      seen.push(messageId);
      if (messageId === 'a1') throw new PoisonError('malformed_event', 'never');
    },
    {
      handleBatch: async () => {
        throw new Error('one of them');
      },
    },
  );
  t.is(await deliverAll([message('a', 0), message('a', 1), message('a', 2)], options), 3);
  t.deepEqual(seen, ['a0', 'a1', 'a2']);
  t.deepEqual(options.outcomes, [
    ['a0', 'done'],
    ['a1', 'failed'],
    ['a1', 'parked'],
    ['a2', 'done'],
  ]);
});

test('deliverAll begins no batch once it is aborted', async (t) => {
  const abort = new AbortController();
  const done = await deliverAll(
    Array.from({ length: 150 }, (_, n) => message('a', n)),
    delivery(async () => t.fail(), {
      signal: abort.signal,
      handleBatch: async () => abort.abort(),
    }),
  );
  t.is(done, 100);
});
