import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { clientOptions, isKafkaError, type KafkaConnection } from './kafka-connection.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const LEADERS_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 50;

/** What the broker has of our topics. */
export interface KafkaTopics {
  /** Partitions of those of the topics that exist; a missing one is made if the broker lets us. */
  ensure(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Whether a broker answers now. */
  answers(): Promise<boolean>;
  close(): Promise<void>;
}

/** Looks after topics; those it makes have `partitions` partitions and as many replicas as the broker's default. */
export function createKafkaTopics({
  connection,
  partitions,
  onError,
}: {
  connection: KafkaConnection;
  partitions: number;
  onError: (error: unknown) => void;
}): KafkaTopics {
  const admin = new Admin(clientOptions(connection, REQUEST_TIMEOUT_MS));
  const refused = new Set<string>();

  async function partitionsOf(topic: string): Promise<number | undefined> {
    try {
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
      return topics.get(topic)?.partitionsCount;
    } catch (error) {
      // The client turns the protocol's own error into this sentence.
      if (error instanceof Error && error.message.startsWith('Unknown topic')) return undefined;
      throw error;
    }
  }

  /** False: somebody else has to make it. */
  async function make(topic: string): Promise<boolean> {
    try {
      await admin.createTopics({ topics: [topic], partitions });
    } catch (error) {
      if (isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) return true;
      if (!isKafkaError(error, 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'POLICY_VIOLATION'))
        throw error;
      if (!refused.has(topic))
        onError(
          new Error(`The topic ${topic} does not exist and the broker does not let us make it.`, { cause: error }),
        );
      refused.add(topic);
      return false;
    }
    return true;
  }

  async function ensureOne(topic: string): Promise<[string, number][]> {
    const found = await partitionsOf(topic);
    if (found !== undefined) return [[topic, found]];
    if (!(await make(topic))) return [];
    // Brokers learn of a new topic and of its partitions' leaders one after the other.
    for (
      const deadlineMs = performance.now() + LEADERS_WITHIN_MS;
      performance.now() < deadlineMs;
      await sleep(LOOK_AGAIN_MS)
    ) {
      const made = await partitionsOf(topic).catch(() => undefined);
      if (made !== undefined) return [[topic, made]];
    }
    return [];
  }

  return {
    ensure: async (topics) => new Map((await Promise.all(topics.map(ensureOne))).flat()),
    answers: () =>
      admin.metadata({ forceUpdate: true }).then(
        () => true,
        () => false,
      ),
    close: () => admin.close(),
  };
}
