import type { Bus } from '../../src/messaging/bus.ts';
import { createKafkaBus } from '../../src/messaging/kafka/kafka-bus.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { kafkaAddress, startOwnKafka } from '../support/kafka.ts';
import { createDatabase, fromRunner, openTestDb, openTestSystem } from '../support/services.ts';
import type { BusHarness, HarnessNeeds } from './contract.ts';

/** How long a broker that is stopped stays away: with 30000 the outage outlasts every timeout of clients and groups. */
const OUTAGE_MS = Number(process.env['TEST_OUTAGE_MS'] ?? 0);

/** The Kafka bus with short intervals. */
export function openTestKafkaBus({
  system,
  address,
  onError = () => {},
}: {
  system: SystemDb;
  address: string;
  onError?: (error: unknown) => void;
}): Bus {
  return createKafkaBus({
    connection: { brokers: [address], clientId: 'test' },
    park: parkInDeadLetters(system),
    defaultTenant: 'default',
    partitions: 4,
    retryDelaysMs: [10, 20],
    sessionTimeoutMs: 6_000,
    lookMs: 200,
    onError,
  });
}

/** Connects in a process of its own; see consumer-process.ts. */
export function connectInProcess(): { bus: Bus; db: Db } {
  const url = fromRunner('BUS_DATABASE_URL');
  const system = openTestSystem(url);
  return { db: openTestDb(url), bus: openTestKafkaBus({ system, address: fromRunner('BUS_KAFKA_BROKERS') }) };
}

/** A database of one test's own, and buses on the shared broker or on one of its own. */
export async function createKafkaHarness({ stopsBroker = false }: HarnessNeeds = {}): Promise<BusHarness> {
  const own = stopsBroker ? await startOwnKafka() : undefined;
  const address = own?.address ?? (await kafkaAddress());
  const database = await createDatabase();
  const db = openTestDb(database.url);
  const system = openTestSystem(database.url);
  const buses: Bus[] = [];
  let backAtMs = 0;
  return {
    db,
    system,
    url: database.url,
    connect: () => {
      const bus = openTestKafkaBus({ system, address });
      buses.push(bus);
      return bus;
    },
    stopBroker: async () => {
      await own?.kill();
      backAtMs = performance.now() + OUTAGE_MS;
    },
    startBroker: async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, backAtMs - performance.now())));
      await own?.start();
    },
    processModule: import.meta.url,
    processEnv: { BUS_DATABASE_URL: database.url, BUS_KAFKA_BROKERS: address },
    close: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await Promise.all([db.close(), system.close()]);
      await database.drop();
      await own?.remove();
    },
  };
}
