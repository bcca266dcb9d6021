import { createKafkaBroker, type KafkaBroker, type KafkaBrokerOptions } from '../../tools/kafka-broker.ts';
import { fromRunner } from './services.ts';

/**
 * host:port of the broker that all test files share; the first to ask starts it. Topics and groups are named after the
 * test.
 */
export async function kafkaAddress(): Promise<string> {
  const response = await fetch(fromRunner('TEST_KAFKA_ON_DEMAND'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Starts a broker of the caller's own, to be killed and started again. */
export async function startOwnKafka(options?: KafkaBrokerOptions): Promise<KafkaBroker> {
  const broker = await createKafkaBroker(options);
  await broker.start();
  return broker;
}
