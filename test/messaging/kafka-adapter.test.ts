import { randomUUID } from 'node:crypto';
import { Admin, Consumer, Producer, type MessageToProduce } from '@platformatic/kafka';
import test, { type ExecutionContext } from 'ava';
import { PoisonError, type Bus, type BusMessage } from '../../src/messaging/bus.ts';
import { HEADERS } from '../../src/messaging/kafka/kafka-message.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { listDeadLetters, type DeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { kafkaAddress } from '../support/kafka.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';
import { openTestKafkaBus } from './kafka-harness.ts';

interface Setting {
  readonly address: string;
  readonly admin: Admin;
  readonly system: SystemDb;
  readonly bus: Bus;
  readonly topic: string;
  readonly errors: unknown[];
}

async function setUp(t: ExecutionContext): Promise<Setting> {
  const address = await kafkaAddress();
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [address] });
  const database = await createDatabase();
  const system = openTestSystem(database.url);
  const errors: unknown[] = [];
  const bus = openTestKafkaBus({ system, address, onError: (error) => errors.push(error) });
  t.teardown(async () => {
    await bus.close();
    await admin.close();
    await system.close();
    await database.drop();
  });
  return { address, admin, system, bus, topic: `topic.${randomUUID()}`, errors };
}

function message(topic: string, n: number, rest: Partial<BusMessage> = {}): BusMessage {
  return { tenantId: 'acme', messageId: `m${n}`, topic, key: 'key', payload: `{"n":${n}}`, ...rest };
}

async function parked(system: SystemDb): Promise<readonly DeadLetter[]> {
  return (await system.acrossTenants((tx) => listDeadLetters(tx, { status: 'parked', limit: 100 }))).items;
}

test.serial(
  'the Kafka bus hands on whatever a stranger writes, and parks what the handler refuses with its tenant',
  async (t) => {
    const { address, admin, bus, system, topic } = await setUp(t);
    await admin.createTopics({ topics: [topic], partitions: 1 });
    const stranger = new Producer({ clientId: 'stranger', bootstrapBrokers: [address] });
    t.teardown(() => stranger.close());
    const [bytes, nul] = [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('\0')];
    const odd: Omit<MessageToProduce, 'topic'>[] = [
      { value: Buffer.from('no JSON') },
      { key: bytes, value: bytes },
      { key: nul, value: nul, headers: new Map([[bytes, bytes]]) },
      { key: Buffer.from('tombstone') },
      { value: Buffer.from('{"tenantid":"acme"}') },
      {
        value: Buffer.from('{}'),
        headers: new Map([
          [Buffer.from(HEADERS.tenantId), Buffer.from('*')],
          [Buffer.from(HEADERS.messageId), nul],
        ]),
      },
    ];
    await stranger.send({ messages: odd.map((each) => ({ ...each, topic, partition: 0 })) });
    await bus.publish([message(topic, 1)]);
    const seen: BusMessage[] = [];
    await bus.subscribe({
      group: topic,
      topics: [topic],
      handle: async (each) => {
        if (each.messageId !== 'm1') throw new PoisonError('malformed_event', 'It is no event.');
        seen.push(each);
      },
    });
    await until(async () => seen.length > 0 && (await parked(system)).length === odd.length);
    t.deepEqual(seen, [message(topic, 1)]);
    t.deepEqual(
      (await parked(system)).map(({ tenantId, messageId }) => `${tenantId} ${messageId.split('/')[2]}`).toSorted(),
      ['acme 4', 'default 0', 'default 1', 'default 2', 'default 3', 'default 5'],
    );
  },
);

test.serial('the Kafka bus places a key where the Java client does', async (t) => {
  const { address, admin, bus, topic } = await setUp(t);
  await admin.createTopics({ topics: [topic], partitions: 3 });
  // Hashes from the tests of Kafka's own client.
  const hashes = {
    21: -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
  };
  await bus.publish(Object.keys(hashes).map((key, n) => message(topic, n, { key })));
  const reader = new Consumer({ clientId: 'test', groupId: `${topic}.reader`, bootstrapBrokers: [address] });
  t.teardown(() => reader.close(true));
  const found: Record<string, number> = {};
  for await (const { key, partition } of await reader.consume({ topics: [topic], mode: 'earliest' })) {
    found[key.toString()] = partition;
    if (Object.keys(found).length === Object.keys(hashes).length) break;
  }
  t.deepEqual(found, Object.fromEntries(Object.entries(hashes).map(([key, hash]) => [key, (hash & 0x7fffffff) % 3])));
});

test.serial(
  'the Kafka bus calls poison what is too large for the topic, and publishes what was to go with it',
  async (t) => {
    const { admin, bus, topic } = await setUp(t);
    await admin.createTopics({
      topics: [topic],
      partitions: 1,
      configs: [{ name: 'max.message.bytes', value: '10000' }],
    });
    const seen: string[] = [];
    await bus.subscribe({ group: topic, topics: [topic], handle: async ({ messageId }) => void seen.push(messageId) });
    const large = bus.publish([message(topic, 1, { payload: JSON.stringify('x'.repeat(20_000)) })]);
    const small = bus.publish(
      Array.from({ length: 50 }, (_, n) => message(topic, n + 2, { payload: JSON.stringify('x'.repeat(1_000)) })),
    );
    await t.throwsAsync(large, { instanceOf: PoisonError });
    await t.notThrowsAsync(small);
    await until(() => seen.includes('m51'));
    t.false(seen.includes('m1'));
  },
);

test.serial('the Kafka bus reads partitions that are added', async (t) => {
  const { admin, bus, topic } = await setUp(t);
  await admin.createTopics({ topics: [topic], partitions: 1 });
  const seen = new Set<string>();
  await bus.subscribe({ group: topic, topics: [topic], handle: async ({ messageId }) => void seen.add(messageId) });
  await bus.publish([message(topic, 0)]);
  await until(() => seen.size > 0);
  await admin.createPartitions({
    topics: [{ name: topic, count: 6, assignments: Array.from({ length: 5 }, () => ({ brokerIds: [1] })) }],
  });
  const messages = Array.from({ length: 30 }, (_, n) => message(topic, n + 1, { key: `key${n}` }));
  await bus.publish(messages);
  await until(() => seen.size === messages.length + 1);
  t.pass();
});

test.serial('the Kafka bus goes on with the oldest message when its place is gone, and says so', async (t) => {
  const { admin, bus, topic, errors } = await setUp(t);
  await admin.createTopics({ topics: [topic], partitions: 1 });
  const seen: string[] = [];
  const options = {
    group: topic,
    topics: [topic],
    handle: async ({ messageId }: BusMessage) => void seen.push(messageId),
  };
  const before = await bus.subscribe(options);
  await bus.publish([message(topic, 0)]);
  await until(() => seen.length > 0);
  await before.stop();
  await bus.publish([1, 2, 3].map((n) => message(topic, n)));
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 3n }] }] });
  await bus.subscribe(options);
  await until(() => seen.length > 1);
  t.deepEqual(seen, ['m0', 'm3']);
  t.regex(
    String(errors.map((error) => (error instanceof AggregateError ? error.errors.map(String) : String(error)))),
    /offset/i,
  );
});

test.serial('the Kafka bus delivers to another member what a member had in hand when the group changed', async (t) => {
  const { address, bus, system, topic } = await setUp(t);
  const other = openTestKafkaBus({ system, address });
  t.teardown(() => other.close());
  const stuck = Promise.withResolvers<void>();
  const seen: string[] = [];
  const take =
    (who: string) =>
    async ({ messageId }: BusMessage): Promise<void> => {
      seen.push(`${who} ${messageId}`);
      if (who === 'first') await stuck.promise;
    };
  await bus.publish(Array.from({ length: 8 }, (_, n) => message(topic, n, { key: `key${n}` })));
  await bus.subscribe({ group: topic, topics: [topic], handle: take('first') });
  await until(() => seen.length === 8);
  await other.subscribe({ group: topic, topics: [topic], handle: take('second') });
  await until(() => seen.some((each) => each.startsWith('second')));
  stuck.resolve();
  const late = seen.filter((each) => each.startsWith('second')).map((each) => each.slice('second '.length));
  t.true(late.length > 0 && new Set(late).size === late.length);
});
