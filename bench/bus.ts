import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Bus, BusMessage } from '../src/messaging/bus.ts';
import { enqueueMessages } from '../src/messaging/outbox/message-outbox.ts';
import { startMessageRelay } from '../src/messaging/outbox/message-relay.ts';
import type { SystemDb } from '../src/postgres/client.ts';
import { firstTimes, once } from '../src/messaging/inbox.ts';
import { rawTransaction } from '../src/postgres/transaction.ts';
import { openScope } from '../test/support/scope.ts';
import { until } from '../test/support/until.ts';
import { createWorld, type World } from '../test/support/world.ts';
import { median, type Figure } from './measure.ts';

const ROUNDS = 3;
const KEYS = 500;
const TENANT = 'bench';

/**
 * The relay and a consumer with an inbox, messages per second, beside plain inserts of as many rows in one
 * statement.
 */
export async function benchBus(
  count: number,
  buses: Readonly<Record<string, (system: SystemDb) => Bus>>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [adapter, createBus] of Object.entries(buses)) {
    const scope = openScope();
    const { db, system, databaseUrl } = await createWorld(scope, { poolSize: 20 });
    const bus = createBus(system);
    const rates: Record<'inserts' | 'relay' | 'consumer' | 'inbox' | 'batches', number[]> = {
      inserts: [],
      relay: [],
      consumer: [],
      inbox: [],
      batches: [],
    };
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        rates.inserts.push(await perSecond(count, () => insertPlainly(databaseUrl, count)));
        const topic = `bench.${adapter}.${round}.${randomUUID().slice(0, 8)}`;
        rates.relay.push(await relay({ db, system }, bus, messages(topic, count)));
        rates.consumer.push(await consume(bus, topic, count, async () => {}));
        const some = Math.ceil(count / 10);
        await bus.publish(messages(`${topic}.inbox`, some));
        const handle = async ({ tenantId, messageId }: BusMessage): Promise<void> => {
          await db.inTenant(tenantId, (tx) => once(tx, { tenantId, consumer: topic, messageId }));
        };
        rates.inbox.push(await consume(bus, `${topic}.inbox`, some, handle));
        await bus.publish(messages(`${topic}.batches`, some));
        rates.batches.push(
          await consume(bus, `${topic}.batches`, some, handle, async (batch) => {
            await rawTransaction(db.pool, TENANT, (client) =>
              firstTimes(client, {
                tenantId: TENANT,
                consumer: topic,
                messageIds: batch.map(({ messageId }) => messageId),
              }),
            );
          }),
        );
      }
    } finally {
      await bus.close();
      await scope.close();
    }
    const baseline = median(rates.inserts);
    for (const [name, values] of Object.entries(rates)) {
      figures.push({
        section: `bus ${adapter}`,
        name: TITLES[name] ?? name,
        value: median(values),
        unit: '/s',
        ratio: median(values) / baseline,
      });
    }
  }
  return figures;
}

const TITLES: Readonly<Record<string, string>> = {
  inserts: 'plain inserts, one statement',
  relay: 'message outbox to bus',
  consumer: 'consumer that does nothing',
  inbox: 'consumer with an inbox transaction each',
  batches: 'consumer with an inbox transaction a batch',
};

function messages(topic: string, count: number): BusMessage[] {
  const payload = JSON.stringify({ specversion: '1.0', data: 'x'.repeat(300) });
  return Array.from({ length: count }, (_, index) => ({
    tenantId: TENANT,
    messageId: randomUUID(),
    topic,
    key: `key-${index % KEYS}`,
    payload,
  }));
}

async function relay(
  { db, system }: Pick<World, 'db' | 'system'>,
  bus: Bus,
  outgoing: readonly BusMessage[],
): Promise<number> {
  for (let from = 0; from < outgoing.length; from += 5_000) {
    await db.inTenant(TENANT, (tx) => enqueueMessages(tx, outgoing.slice(from, from + 5_000)));
  }
  let published = 0;
  return perSecond(outgoing.length, async () => {
    const relayed = startMessageRelay({
      system,
      bus,
      pollMs: 50,
      onRelayed: (batch) => {
        published += batch.published;
      },
    });
    await until(() => published >= outgoing.length, { what: 'everything relayed', timeoutMs: 300_000 });
    await relayed.stop();
  });
}

async function consume(
  bus: Bus,
  topic: string,
  count: number,
  handle: (message: BusMessage) => Promise<void>,
  handleBatch?: (batch: readonly BusMessage[]) => Promise<void>,
): Promise<number> {
  let handled = 0;
  return perSecond(count, async () => {
    const subscription = await bus.subscribe({
      group: `group-${topic}`,
      topics: [topic],
      handle: async (message) => {
        await handle(message);
        handled += 1;
      },
      ...(handleBatch === undefined
        ? {}
        : {
            handleBatch: async (batch) => {
              await handleBatch(batch);
              handled += batch.length;
            },
          }),
    });
    await until(() => handled >= count, { what: 'everything consumed', timeoutMs: 300_000 });
    await subscription.stop();
  });
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return count / ((performance.now() - startedAt) / 1_000);
}

async function insertPlainly(url: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload)
    SELECT 'plain', n::text, 'plain', n::text, 0, repeat('x', 330) FROM generate_series(1, $1::int) AS n`,
    [count],
  );
  await client.query(`DELETE FROM bus_messages WHERE tenant_id = 'plain'`);
  await client.end();
}
