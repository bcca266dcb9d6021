import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/setting.ts';
import { isDatabaseAway } from '../postgres/errors.ts';
import type { Bus } from './bus.ts';
import { createKafkaBus } from './kafka/kafka-bus.ts';
import type { KafkaConnection } from './kafka/kafka-connection.ts';
import { answers, createPostgresBus, type PostgresBusOptions } from './postgres/postgres-bus.ts';
import { createPostgresPublisher } from './postgres/postgres-publisher.ts';
import type { TenantPool } from '../postgres/pool.ts';

/** What every adapter needs besides the settings. */
export type CreateBusOptions = { readonly config: Config } & Omit<
  PostgresBusOptions,
  'partitions' | 'pollMs' | 'retryDelaysMs' | 'leaseMs'
>;

/** Builds the bus that `BUS` names. */
export function createBus({ config, pool, ...options }: CreateBusOptions): Bus {
  const shared = {
    isInfrastructureAway: isDatabaseAway,
    ...options,
    partitions: config.BUS_PARTITIONS,
    retryDelaysMs: config.BUS_RETRY_DELAYS_MS,
  };
  switch (config.BUS) {
    case 'postgres':
      return createPostgresBus({ ...shared, pool, pollMs: config.BUS_POLL_MS });
    case 'kafka':
      return createKafkaBus({ ...shared, connection: kafkaConnectionOf(config), defaultTenant: config.DEFAULT_TENANT });
  }
}

/** Builds what publishes on the bus that `BUS` names, for a process that subscribes to nothing. */
export function createPublisher({
  config,
  pool,
}: {
  readonly config: Config;
  readonly pool: TenantPool;
}): Pick<Bus, 'publish' | 'isHealthy' | 'close'> {
  switch (config.BUS) {
    case 'postgres':
      return {
        publish: createPostgresPublisher({ pool, partitions: config.BUS_PARTITIONS }),
        isHealthy: () => answers(pool),
        close: async () => {},
      };
    case 'kafka':
      return createKafkaBus({
        connection: kafkaConnectionOf(config),
        defaultTenant: config.DEFAULT_TENANT,
        partitions: config.BUS_PARTITIONS,
        retryDelaysMs: config.BUS_RETRY_DELAYS_MS,
        park: () => Promise.reject(new Error('nothing is subscribed to')),
      });
  }
}

function kafkaConnectionOf(config: Config): KafkaConnection {
  const {
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username = '',
    KAFKA_SASL_PASSWORD: password = '',
  } = config;
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: config.KAFKA_CLIENT_ID,
    tls: config.KAFKA_TLS ? authorityOf(config) : undefined,
    sasl: mechanism === undefined ? undefined : { mechanism, username, password },
  };
}

function authorityOf({ KAFKA_CA_FILE: file }: Config): { ca?: string } {
  if (file === undefined) return {};
  try {
    return { ca: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new ConfigError(`KAFKA_CA_FILE: it can't be read (${String(error)}; see .env.example)`);
  }
}
