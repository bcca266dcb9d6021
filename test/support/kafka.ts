import { Admin } from '@platformatic/kafka';
import { createKafkaBroker, type KafkaBroker, type KafkaBrokerOptions } from '../../tools/kafka-broker.ts';
import { fromRunner } from './services.ts';
import { until } from './until.ts';

/** host:port of the broker that all test files share, once it answers; topics and groups are named after the test. */
export async function kafkaAddress(): Promise<string> {
  const address = fromRunner('TEST_KAFKA_BROKERS');
  await answering(address);
  return address;
}

/** Starts a broker of the caller's own, to be killed and started again. */
export async function startOwnKafka(options?: KafkaBrokerOptions): Promise<KafkaBroker> {
  const broker = await createKafkaBroker(options);
  await broker.start();
  return broker;
}

async function answering(address: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [address], retries: 0 });
  try {
    await until(() => admin.metadata({ forceUpdate: true }).then(() => true, () => false), { timeoutMs: 60_000, what: `Kafka at ${address}` });
  } finally {
    await admin.close();
  }
}
