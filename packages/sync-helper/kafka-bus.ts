import type { Bus, Park } from '../../src/messaging/bus.ts';
import { createKafkaBus, type KafkaBusOptions } from '../../src/messaging/kafka/kafka-bus.ts';
import type { KafkaConnection } from '../../src/messaging/kafka/kafka-connection.ts';
import { isInfrastructureAway, warnOfParked } from './parking.ts';

export type { KafkaConnection, KafkaCredentials } from '../../src/messaging/kafka/kafka-connection.ts';

/** How to take part in the bus on Kafka. */
export interface KafkaBusSettings extends Partial<Omit<KafkaBusOptions, 'connection' | 'park'>>, KafkaConnection {
  /** Takes what no retry helped, poison above all. Without it a process warning is emitted. */
  readonly park?: Park;
}

/**
 * Opens the bus on Kafka; needs `@platformatic/kafka` beside this package. `brokers` are host:port of some brokers,
 * `clientId` is the service's name in their logs and quotas; `defaultTenant` is the tenant of a message that names none
 * (`default`), `partitions` how many a topic gets that is not there yet (8), `retryDelaysMs` the pauses before each
 * further attempt (200, 1,000 and 5,000 ms).
 */
export function kafkaBus({ brokers, clientId, tls, sasl, park = warnOfParked, ...rest }: KafkaBusSettings): Bus {
  return createKafkaBus({
    defaultTenant: 'default',
    partitions: 8,
    retryDelaysMs: [200, 1_000, 5_000],
    isInfrastructureAway,
    ...rest,
    park,
    connection: { brokers, clientId, tls, sasl },
  });
}
