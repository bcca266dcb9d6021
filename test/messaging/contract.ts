import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once as event } from 'node:events';
import { createInterface } from 'node:readline';
import type { ExecutionContext, TestFn } from 'ava';
import { PoisonError, type Bus, type BusMessage } from '../../src/messaging/bus.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { listDeadLetters, type DeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { until } from '../support/until.ts';
import { createEffects, effectsOf, takeEffect, applyEvents } from './effects.ts';

/** What the contract needs of an adapter. Retries must be few and fast, and a dead member noticed in a few seconds. */
export interface BusHarness {
  /** The application's database, where inbox and dead letters are, and the superuser's URL of it. */
  readonly db: Db;
  readonly system: SystemDb;
  readonly url: string;
  /** A bus of its own, as another process has. */
  readonly connect: () => Bus;
  readonly stopBroker: () => Promise<void>;
  readonly startBroker: () => Promise<void>;
  /** URL of a module that exports `connectInProcess(): { bus, db }`, and the environment it reads. */
  readonly processModule: string;
  readonly processEnv: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** What a test does to the broker. */
export interface HarnessNeeds {
  /** It stops and starts it: it must share it with no other test. */
  readonly stopsBroker?: boolean;
}

const TENANT = 'acme';
const FAILING_ATTEMPTS = 3;

/** What every adapter of the bus must do. The adapter under test is to have two retry delays. */
export function testBusContract(test: TestFn, createHarness: (needs?: HarnessNeeds) => Promise<BusHarness>): void {
  const setUp = async (t: ExecutionContext, needs?: HarnessNeeds): Promise<BusHarness & { topic: string }> => {
    const harness = await createHarness(needs);
    t.teardown(() => harness.close());
    await createEffects(harness.url);
    return { ...harness, topic: `topic.${randomUUID()}` };
  };

  test('the bus keeps the order within a key, in one call and from call to call', async (t) => {
    const { connect, topic } = await setUp(t);
    const bus = connect();
    const seen: BusMessage[] = [];
    const messages = numbered(topic, { keys: 6, each: 20 });
    await bus.subscribe({ group: 'order', topics: [topic], handle: async (message) => void seen.push(message) });
    await Promise.all(chunks(messages, 7).map((chunk) => bus.publish(chunk)));
    await until(() => seen.length >= messages.length);
    t.deepEqual(byKey(unique(ids(seen))), byKey(ids(messages)));
  });

  test('the bus gives every group every message, also those published before the group came', async (t) => {
    const { connect, topic } = await setUp(t);
    const bus = connect();
    const messages = numbered(topic, { keys: 3, each: 4 });
    await bus.publish(messages);
    const seen = { first: new Set<string>(), second: new Set<string>() };
    for (const group of ['first', 'second'] as const) {
      await bus.subscribe({ group, topics: [topic], handle: async ({ messageId }) => void seen[group].add(messageId) });
    }
    await until(() => seen.first.size === messages.length && seen.second.size === messages.length);
    t.deepEqual([...seen.first].toSorted(), ids(messages).toSorted());
  });

  test('the bus lets a group wait for a topic that does not exist yet', async (t) => {
    const { connect, topic } = await setUp(t);
    const [consumer, producer] = [connect(), connect()];
    const seen: BusMessage[] = [];
    await consumer.subscribe({
      group: 'early',
      topics: [topic, `${topic}.never`],
      handle: async (message) => void seen.push(message),
    });
    const [message] = numbered(topic, { keys: 1, each: 1 });
    await producer.publish([message!]);
    await until(() => seen.length > 0);
    t.like(seen[0], { ...message });
  });

  test('the bus parks poison at once and goes on with the key', async (t) => {
    const { connect, system, topic } = await setUp(t);
    const bus = connect();
    const seen: string[] = [];
    await bus.publish(numbered(topic, { keys: 1, each: 3 }));
    await bus.subscribe({
      group: 'poisoned',
      topics: [topic],
      handle: async ({ messageId }) => {
        seen.push(messageId);
        if (messageId === 'key0-1') throw new PoisonError('malformed_event', 'It is no event.');
      },
    });
    await until(() => seen.includes('key0-2'));
    t.deepEqual(seen, ['key0-0', 'key0-1', 'key0-2']);
    const [letter, ...others] = await parked(system);
    t.deepEqual(others, []);
    t.like(letter, {
      source: 'poisoned',
      type: topic,
      cause: 'malformed_event',
      detail: 'It is no event.',
      messageId: 'key0-1',
      key: 'key0',
      payload: '{"n":1}',
    });
  });

  test('the bus retries a failing message, parks it, and goes on with the key', async (t) => {
    const { connect, system, topic } = await setUp(t);
    const bus = connect();
    const seen: string[] = [];
    await bus.publish(numbered(topic, { keys: 1, each: 3 }));
    await bus.subscribe({
      group: 'failing',
      topics: [topic],
      handle: async ({ messageId }) => {
        seen.push(messageId);
        if (messageId === 'key0-1') throw new Error('not today');
      },
    });
    await until(() => seen.includes('key0-2'));
    t.is(seen.filter((id) => id === 'key0-1').length, FAILING_ATTEMPTS);
    t.like((await parked(system))[0], { messageId: 'key0-1', cause: 'handler_failed', detail: 'not today' });
  });

  test('the bus parks poison alone that came within a batch', async (t) => {
    const { connect, db, system, topic } = await setUp(t);
    const bus = connect();
    const batches: string[][] = [];
    const messages = numbered(topic, { keys: 2, each: 5 });
    await bus.publish(messages);
    await bus.subscribe({
      group: 'batches',
      topics: [topic],
      handle: (message) => applyEvents(db, 'batches', [message], 'key0-1'),
      handleBatch: async (batch) => {
        batches.push(ids(batch));
        await applyEvents(db, 'batches', batch, 'key0-1');
      },
    });
    await until(
      async () => (await effectsOf(db, 'batches')).length === messages.length - 1 && (await parked(system)).length > 0,
    );
    t.true(batches.some((batch) => batch.length > 1 && batch.includes('key0-1')));
    t.deepEqual(byKey(await effectsOf(db, 'batches')), byKey(ids(messages).filter((id) => id !== 'key0-1')));
    t.deepEqual(
      (await parked(system)).map(({ messageId, cause }) => `${messageId} ${cause}`),
      ['key0-1 malformed_event'],
    );
  });

  test('the bus goes on where it stopped', async (t) => {
    const { connect, topic } = await setUp(t);
    const bus = connect();
    const seen: string[] = [];
    const options = {
      group: 'stopping',
      topics: [topic],
      handle: async ({ messageId }: BusMessage) => void seen.push(messageId),
    };
    const before = await bus.subscribe(options);
    await bus.publish(numbered(topic, { keys: 3, each: 3 }));
    await until(() => seen.length === 9);
    await before.stop();
    await bus.publish(numbered(topic, { keys: 3, each: 3, from: 3 }));
    t.is(seen.length, 9);
    await bus.subscribe(options);
    await until(() => seen.length >= 18);
    t.is(new Set(seen).size, seen.length, 'delivered again although it was done with');
  });

  test('the bus shares the work of a group between its members, loses nothing and keeps the order', async (t) => {
    const { connect, db, topic } = await setUp(t);
    const workers = [connect(), connect()].map((bus) => ({ bus, count: 0 }));
    const join = ({ bus }: { bus: Bus }, index: number) =>
      bus.subscribe({
        group: 'shared',
        topics: [topic],
        handle: async (message) => {
          await takeEffect(db, 'shared', message);
          workers[index]!.count += 1;
        },
      });
    let published: string[] = [];
    const producer = connect();
    const publish = async () => {
      const messages = numbered(topic, { keys: 16, each: 1, from: published.length / 16 });
      published = [...published, ...ids(messages)];
      await producer.publish(messages);
    };
    const first = await join(workers[0]!, 0);
    await publish();
    await until(async () => (await effectsOf(db, 'shared')).length === published.length);
    await join(workers[1]!, 1);
    const [before] = workers.map(({ count }) => count);
    await until(async () => {
      await publish();
      return workers[0]!.count > before! + 16 && workers[1]!.count > 16;
    });
    await first.stop();
    const atStop = workers[0]!.count;
    await publish();
    await until(async () => (await effectsOf(db, 'shared')).length === published.length);
    t.deepEqual(byKey(await effectsOf(db, 'shared')), byKey(published));
    t.is(workers[0]!.count, atStop, 'a stopped member was given a message');
  });

  for (const [inHand, mode] of [
    ['a message', 'each'],
    ['a batch', 'batch'],
  ] as const) {
    test(`the bus delivers again ${inHand} of a killed consumer, which has its effect once`, async (t) => {
      const { connect, db, topic, processModule, processEnv } = await setUp(t);
      const bus = connect();
      const messages = numbered(topic, { keys: 3, each: 5 });
      const child = spawn(
        process.execPath,
        [new URL('consumer-process.ts', import.meta.url).pathname, processModule, 'killed', topic, 'key1-2', mode],
        {
          env: { ...process.env, ...processEnv },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      t.teardown(() => child.kill('SIGKILL'));
      const exited = event(child, 'exit');
      const lines = new Set<string>();
      createInterface(child.stdout).on('line', (line) => lines.add(line));
      await bus.publish(messages);
      await until(() => lines.has('key1-2'));
      child.kill('SIGKILL');
      await exited;
      if (mode === 'each')
        t.false(lines.has('key1-3'), 'it went on with a key although it had one of its messages in hand');

      const deliveredAgain = new Set<string>();
      await bus.subscribe({
        group: 'killed',
        topics: [topic],
        handle: async (message) => {
          deliveredAgain.add(message.messageId);
          await takeEffect(db, 'killed', message);
        },
      });
      await until(
        async () => deliveredAgain.has('key1-2') && (await effectsOf(db, 'killed')).length >= messages.length,
      );
      t.deepEqual(byKey(await effectsOf(db, 'killed')), byKey(ids(messages)));
    });
  }

  test('the bus loses nothing while its broker is away', async (t) => {
    const { connect, db, system, topic, stopBroker, startBroker } = await setUp(t, { stopsBroker: true });
    const bus = connect();
    const messages = numbered(topic, { keys: 4, each: 6 });
    await bus.subscribe({ group: 'patient', topics: [topic], handle: (message) => takeEffect(db, 'patient', message) });
    await bus.publish(messages.slice(0, 12));
    await stopBroker();
    t.false(await bus.isHealthy());
    await t.throwsAsync(bus.publish(messages.slice(12)));
    await startBroker();
    await until(() =>
      bus.publish(messages.slice(12)).then(
        () => true,
        () => false,
      ),
    );
    t.true(await bus.isHealthy());
    // A message whose attempts all fell into the outage may be parked at its end.
    const lost = async () => {
      const found = new Set([
        ...(await effectsOf(db, 'patient')),
        ...(await parked(system)).map(({ messageId }) => messageId),
      ]);
      return ids(messages).filter((id) => !found.has(id));
    };
    await until(async () => (await lost()).length === 0);
    const effects = await effectsOf(db, 'patient');
    t.deepEqual(byKey(effects), byKey(ids(messages).filter((id) => effects.includes(id))));
  });

  test('the bus publishes nothing of a call with a message that can never be published', async (t) => {
    const { connect, topic } = await setUp(t);
    const bus = connect();
    const seen: string[] = [];
    const [first, second] = numbered(topic, { keys: 1, each: 2 });
    await bus.subscribe({
      group: 'whole',
      topics: [topic],
      handle: async ({ messageId }) => void seen.push(messageId),
    });
    await t.throwsAsync(bus.publish([first!, { ...first!, tenantId: '' }]), { instanceOf: PoisonError });
    await bus.publish([second!]);
    await until(() => seen.length > 0);
    t.deepEqual(seen, ['key0-1']);
  });
}

function numbered(
  topic: string,
  { keys, each, from = 0 }: { keys: number; each: number; from?: number },
): BusMessage[] {
  return Array.from({ length: keys * each }, (_, index) => {
    const [key, n] = [`key${index % keys}`, from + Math.floor(index / keys)];
    return { tenantId: TENANT, messageId: `${key}-${n}`, topic, key, payload: `{"n":${n}}` };
  });
}

function ids(messages: readonly BusMessage[]): string[] {
  return messages.map(({ messageId }) => messageId);
}

function unique(messageIds: readonly string[]): string[] {
  return [...new Set(messageIds)];
}

/** Message ids under their keys, in order. */
function byKey(messageIds: readonly string[]): Record<string, string[] | undefined> {
  return Object.fromEntries(
    [...Map.groupBy(messageIds, (id) => id.split('-')[0]!)].toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

async function parked(system: SystemDb): Promise<readonly DeadLetter[]> {
  const { items } = await system.acrossTenants((tx) => listDeadLetters(tx, { status: 'parked', limit: 100 }));
  return items;
}
