import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import { PoisonError, type BusMessage } from '../bus.ts';
import { clientOptions, isKafkaError, type KafkaConnection } from './kafka-connection.ts';
import { assertPublishable, sizeOf, toKafka } from './kafka-message.ts';
import type { KafkaTopics } from './kafka-topics.ts';
import type { MessagingCause } from '../codes.ts';

const REQUEST_TIMEOUT_MS = 15_000;
const MAX_SEND_MESSAGES = 5_000;
/** A send has one batch a partition, which may be no larger than the broker's limit for one message. */
const MAX_SEND_BYTES = 900_000;
const RETRIES = 2;
const RETRY_DELAY_MS = 200;

interface Request {
  readonly messages: readonly BusMessage[];
  readonly settle: (error?: unknown) => void;
}

/** Publishes messages to Kafka. */
export interface KafkaPublisher {
  publish(messages: readonly BusMessage[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes messages, one send after the other: the calls that arrive during one share the next, which keeps their order
 * also when one fails. Resolves when all replicas in sync have them.
 */
export function createKafkaPublisher({
  connection,
  topics,
}: {
  connection: KafkaConnection;
  topics: KafkaTopics;
}): KafkaPublisher {
  const producer = new Producer({
    ...clientOptions(connection, REQUEST_TIMEOUT_MS),
    // Fewer than two the client takes for 'for ever'; the caller is to learn of an outage.
    idempotent: true,
    retries: RETRIES,
    retryDelay: RETRY_DELAY_MS,
    // As the Java client places a key, so that everybody's messages of a user share a partition.
    partitioner: compatibilityPartitioner,
  });
  const known = new Set<string>();
  const waiting: Request[] = [];
  let isWriting = false;

  async function send(messages: readonly BusMessage[]): Promise<void> {
    const unknown = [...new Set(messages.map(({ topic }) => topic))].filter((topic) => !known.has(topic));
    if (unknown.length > 0) {
      const found = await topics.ensure(unknown);
      const missing = unknown.find((topic) => !found.has(topic));
      if (missing !== undefined) throw new Error(`The topic ${missing} does not exist.`);
      for (const topic of unknown) known.add(topic);
    }
    try {
      await producer.send({ messages: messages.map(toKafka) });
    } catch (error) {
      known.clear();
      if (!isKafkaError(error, 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD')) throw error;
      if (messages.length === 1)
        throw new PoisonError<MessagingCause>('publish_failed', `The broker refuses the message: ${String(error)}`);
      // The broker's limit is lower than the default.
      for (const message of messages) await send([message]);
    }
  }

  async function sendAll(messages: readonly BusMessage[]): Promise<void> {
    for (const chunk of chunks(messages)) await send(chunk);
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    for (
      let batch = waiting.splice(0, MAX_SEND_MESSAGES);
      batch.length > 0;
      batch = waiting.splice(0, MAX_SEND_MESSAGES)
    ) {
      const error = await failureOf(sendAll(batch.flatMap(({ messages }) => messages)));
      for (const { messages, settle } of batch) {
        // Too large together, or one of them refused: each call is sent by itself, so that it fails alone.
        settle(error instanceof PoisonError && batch.length > 1 ? await failureOf(sendAll(messages)) : error);
      }
    }
    isWriting = false;
  }

  return {
    publish: async (messages) => {
      if (messages.length === 0) return;
      for (const message of messages) assertPublishable(message);
      await new Promise<void>((resolve, reject) => {
        waiting.push({ messages, settle: (error) => (error === undefined ? resolve() : reject(error)) });
        if (!isWriting) void writeAll();
      });
    },
    close: () => producer.close(),
  };
}

function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function* chunks(messages: readonly BusMessage[]): Generator<BusMessage[]> {
  let chunk: BusMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (chunk.length > 0 && (bytes + size > MAX_SEND_BYTES || chunk.length === MAX_SEND_MESSAGES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(message);
    bytes += size;
  }
  yield chunk;
}
