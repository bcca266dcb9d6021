import { randomUUID } from 'node:crypto';
import type { Bus } from '../src/messaging/bus.ts';
import { createBus } from '../src/messaging/create-bus.ts';
import { loadConfig } from '../src/config/config.ts';
import type { SystemDb } from '../src/postgres/client.ts';
import { kafkaAddress } from '../test/support/kafka.ts';

/** The adapters of the bus, by name. */
export async function busesOf(): Promise<Readonly<Record<string, (system: SystemDb) => Bus>>> {
  const brokers = await kafkaAddress();
  const adapter =
    (settings: Record<string, string>) =>
    ({ pool }: SystemDb): Bus =>
      createBus({
        config: loadConfig({ BUS_POLL_MS: '50', BUS_RETRY_DELAYS_MS: '', ...settings }),
        pool,
        park: async () => {},
      });
  return {
    postgres: adapter({ BUS: 'postgres' }),
    kafka: adapter({ BUS: 'kafka', KAFKA_BROKERS: brokers, KAFKA_CLIENT_ID: `bench-${randomUUID()}` }),
  };
}
