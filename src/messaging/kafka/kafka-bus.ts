import pLimit from 'p-limit';
import type { Bus, BusMessage, Park, SubscribeOptions } from '../bus.ts';
import { deliverAll, type DeliveryOutcome } from '../delivery.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { startGroupMember } from './kafka-group.ts';
import { createKafkaPublisher } from './kafka-publisher.ts';
import { readAssignment } from './kafka-reader.ts';
import { createKafkaTopics, type KafkaTopics } from './kafka-topics.ts';

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_SESSION_TIMEOUT_MS = 15_000;
const DEFAULT_LOOK_MS = 5_000;

/** What the Kafka bus is built from. */
export interface KafkaBusOptions {
  readonly connection: KafkaConnection;
  readonly park: Park;
  /** Tenant of a message that names none. */
  readonly defaultTenant: string;
  /** Partitions of the topics that we make. */
  readonly partitions: number;
  readonly retryDelaysMs: readonly number[];
  /** Whether a handler's error means that what it needs is away: such attempts are not counted. Default: never. */
  readonly isInfrastructureAway?: (error: unknown) => boolean;
  /** Most handlers running at a time, for each subscription; each may take a connection of the pool. */
  readonly concurrency?: number;
  /** How long the messages of a process that died wait for another; 15 s. */
  readonly sessionTimeoutMs?: number;
  /** How often we look for topics that are missing and partitions that were added; 5 s. */
  readonly lookMs?: number;
  /** Called with every attempt, for logs and metrics. */
  readonly onDelivery?: (delivery: {
    group: string;
    message: BusMessage;
    outcome: DeliveryOutcome;
    error?: unknown;
  }) => void;
  /** Called with failures of the broker, which are retried by themselves. */
  readonly onError?: (error: unknown) => void;
}

/** The bus on a Kafka broker. */
export function createKafkaBus(options: KafkaBusOptions): Bus {
  const { connection, partitions, onError = () => {} } = options;
  const topics = createKafkaTopics({ connection, partitions, onError });
  const publisher = createKafkaPublisher({ connection, topics });
  const members = new Set<{ stop(): Promise<void> }>();
  return {
    publish: (messages) => publisher.publish(messages),
    subscribe: async (subscription) => {
      const member = startSubscription(options, topics, subscription);
      members.add(member);
      return {
        stop: async () => {
          await member.stop();
          members.delete(member);
        },
      };
    },
    isHealthy: () => topics.answers(),
    close: async () => {
      await Promise.all([...members].map((member) => member.stop()));
      members.clear();
      await publisher.close();
      await topics.close();
    },
  };
}

function startSubscription(
  options: KafkaBusOptions,
  topics: KafkaTopics,
  { group, topics: wanted, handle, handleBatch }: SubscribeOptions,
): { stop(): Promise<void> } {
  const {
    connection,
    park,
    defaultTenant,
    retryDelaysMs,
    isInfrastructureAway,
    onDelivery = () => {},
    onError = () => {},
  } = options;
  const { sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS, lookMs = DEFAULT_LOOK_MS } = options;
  const inSlot = pLimit(options.concurrency ?? DEFAULT_CONCURRENCY);
  const deliver = (messages: readonly BusMessage[], signal: AbortSignal): Promise<number> =>
    deliverAll(messages, {
      signal,
      retryDelaysMs,
      ...(isInfrastructureAway === undefined ? {} : { isInfrastructureAway }),
      handle: (message) => inSlot(() => handle(message)),
      ...(handleBatch === undefined ? {} : { handleBatch: (batch) => inSlot(() => handleBatch(batch)) }),
      park: (message, error) => park({ group, message, error }),
      observe: (message, outcome, error) => onDelivery({ group, message, outcome, error }),
    });
  return startGroupMember({
    connection,
    group,
    topics,
    wanted,
    sessionTimeoutMs,
    lookMs,
    onError,
    work: (assignment) => readAssignment(assignment, { connection, group, defaultTenant, deliver, onError }),
  });
}
