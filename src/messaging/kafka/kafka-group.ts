import { Consumer } from '@platformatic/kafka';
import pTimeout from 'p-timeout';
import { createAssignmentRunner, type Assignment } from './kafka-assignment.ts';
import { roundRobin } from './kafka-assignor.ts';
import { clientOptions, type KafkaConnection } from './kafka-connection.ts';
import { createMembership } from './kafka-membership.ts';
import type { KafkaTopics } from './kafka-topics.ts';

/** What an abandoned rebalance costs; the members that answer do so at once. */
const REBALANCE_TIMEOUT_MS = 30_000;
const LEAVING_MS = 5_000;
const NO_USER_DATA = Buffer.alloc(0);

/** What a member needs. */
export interface GroupMemberOptions {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly topics: KafkaTopics;
  readonly wanted: readonly string[];
  /** A member silent for so long is dead to the group. */
  readonly sessionTimeoutMs: number;
  /** How often topics and their partitions are looked at. */
  readonly lookMs: number;
  /** Works on an assignment; it returns, with all it did committed, soon after `revoked`. */
  readonly work: (assignment: Assignment) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * A member of a consumer group, for as long as it takes. The client tells the group that we live and joins again when
 * members come and go; here is what it leaves open: finishing what is in hand before the partitions go to others,
 * coming back after any failure, and topics that appear, grow or go.
 */
export function startGroupMember(options: GroupMemberOptions): { stop(): Promise<void> } {
  const { sessionTimeoutMs, work, onError } = options;
  const stop = new AbortController();
  // What takes longer than the group would wait for us is left to be delivered to another member again.
  const consumer = createConsumer(options, () =>
    pTimeout(runner.revoke(), { milliseconds: sessionTimeoutMs / 2, fallback: () => {} }),
  );
  const membership = createMembership({ ...options, consumer, stopping: stop.signal });
  const runner = createAssignmentRunner({ consumer, work, onLost: rejoin, stopping: stop.signal });

  function rejoin(error: unknown): void {
    onError(error);
    void runner.revoke();
    membership.rejoin();
  }

  consumer.on('consumer:group:join', () => runner.begin());
  consumer.on('consumer:heartbeat:error', ({ error }) => onError(error));
  // The group has given our partitions away, or will have by the time that it hears of us.
  consumer.on('consumer:heartbeat:stalled', ({ lastError }) =>
    rejoin(lastError ?? new Error('The group did not answer.')),
  );
  consumer.on('error', rejoin);
  void membership.keep();
  return {
    stop: async () => {
      stop.abort();
      await runner.revoke();
      await pTimeout(consumer.close(true).catch(onError), { milliseconds: LEAVING_MS, fallback: () => {} });
    },
  };
}

function createConsumer(
  { connection, group, sessionTimeoutMs }: GroupMemberOptions,
  beforeJoining: () => Promise<void>,
): Consumer {
  const rebalanceTimeout = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs);
  return new Consumer({
    ...clientOptions(connection, rebalanceTimeout + 5_000),
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout,
    heartbeatInterval: Math.ceil(sessionTimeoutMs / 5),
    heartbeatStallTimeout: sessionTimeoutMs,
    partitionAssigner: roundRobin,
    // Called before each joining: the only place where the group waits for us.
    protocolsMetadata: async () => {
      await beforeJoining();
      return NO_USER_DATA;
    },
  });
}
