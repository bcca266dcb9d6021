import test, { type ExecutionContext } from 'ava';
import { PoisonError, type BusMessage } from '../../src/messaging/bus.ts';
import { MESSAGE_RELAY, enqueueMessages } from '../../src/messaging/outbox/message-outbox.ts';
import { messageRelayLagMs, startMessageRelay } from '../../src/messaging/outbox/message-relay.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { listDeadLetters } from '../../src/messaging/dead-letters/dead-letters.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';

const TENANT = 'acme';

async function setUp(t: ExecutionContext): Promise<SystemDb> {
  const database = await createDatabase();
  const system = openTestSystem(database.url);
  t.teardown(async () => {
    await system.close();
    await database.drop();
  });
  return system;
}

function message(key: string, n: number): BusMessage {
  return { tenantId: TENANT, messageId: `${key}-${n}`, topic: 'topic', key, payload: JSON.stringify({ n }) };
}

function append(system: SystemDb, ...messages: BusMessage[]): Promise<void> {
  return system.acrossTenants((tx) => enqueueMessages(tx, messages));
}

function relay(t: ExecutionContext, system: SystemDb, publish: (messages: readonly BusMessage[]) => Promise<void>) {
  const started = startMessageRelay({ system, bus: { publish }, pollMs: 50, leaseMs: 1_500 });
  t.teardown(() => started.stop());
  return started;
}

test('the relay publishes the log in order, once it is committed', async (t) => {
  const system = await setUp(t);
  const published: BusMessage[] = [];
  await append(system, message('a', 0), message('b', 0), message('a', 1));
  await t.throwsAsync(
    system.acrossTenants(async (tx) => {
      await enqueueMessages(tx, [message('a', 99)]);
      throw new Error('rolled back');
    }),
  );
  relay(t, system, async (messages) => void published.push(...messages));
  await append(system, message('a', 2));
  await until(() => published.length === 4);
  t.deepEqual(
    published.filter(({ key }) => key === 'a').map(({ messageId, payload }) => [messageId, payload]),
    [
      ['a-0', '{"n": 0}'],
      ['a-1', '{"n": 1}'],
      ['a-2', '{"n": 2}'],
    ],
  );
  await until(async () => (await messageRelayLagMs(system)) === 0);
  t.pass();
});

test('enqueueMessages writes a message once', async (t) => {
  const system = await setUp(t);
  await append(system, message('a', 0), message('a', 0));
  await append(system, message('a', 0), message('a', 1));
  t.is(await system.acrossTenants((tx) => tx.outgoingMessage.count()), 2);
});

test('the relay goes on trying while the bus is away, and loses nothing', async (t) => {
  const system = await setUp(t);
  const published: string[] = [];
  let attempts = 0;
  let isAway = true;
  relay(t, system, async (messages) => {
    attempts += 1;
    if (isAway) throw new Error('away');
    published.push(...messages.map(({ messageId }) => messageId));
  });
  await append(system, message('a', 0), message('a', 1));
  await until(() => attempts >= 3);
  t.true((await messageRelayLagMs(system)) > 0);
  isAway = false;
  await until(() => published.length === 2);
  t.deepEqual(published, ['a-0', 'a-1']);
});

test('the relay parks what the bus refuses for good, and publishes what follows', async (t) => {
  const system = await setUp(t);
  const published: string[] = [];
  await append(system, message('a', 0), message('a', 1), message('a', 2));
  relay(t, system, async (messages) => {
    if (messages.some(({ messageId }) => messageId === 'a-1')) throw new PoisonError('publish_failed', 'too long');
    published.push(...messages.map(({ messageId }) => messageId));
  });
  await until(() => published.includes('a-2'));
  t.deepEqual(published, ['a-0', 'a-2']);
  const { items } = await system.acrossTenants((tx) => listDeadLetters(tx, { limit: 10 }));
  t.like(items, [
    { source: MESSAGE_RELAY, type: 'topic', cause: 'publish_failed', detail: 'too long', messageId: 'a-1', key: 'a' },
  ]);
});

test('relays of several processes share the partitions, and another takes over what one leaves', async (t) => {
  const system = await setUp(t);
  const published: string[] = [];
  const publish = async (messages: readonly BusMessage[]) =>
    void published.push(...messages.map(({ messageId }) => messageId));
  const [first, second] = [relay(t, system, publish), relay(t, system, publish)];
  await until(() => first.partitions().length === 4 && second.partitions().length === 4);
  t.is(new Set([...first.partitions(), ...second.partitions()]).size, 8);
  const messages = Array.from({ length: 40 }, (_, index) => message(`key${index % 10}`, index));
  await append(system, ...messages.slice(0, 20));
  await until(() => published.length === 20);
  await first.stop();
  await append(system, ...messages.slice(20));
  await until(() => published.length === 40);
  t.is(second.partitions().length, 8);
  t.is(new Set(published).size, 40);
});
