import {
  Consumer,
  type CommitOptionsPartition,
  type GroupAssignment,
  type GroupPartitionsAssigner,
} from '@platformatic/kafka';
import pTimeout from 'p-timeout';
import { pause } from '../delivery.ts';
import { clientOptions, isOutOfGroup, type KafkaConnection } from './kafka-connection.ts';
import type { KafkaTopics } from './kafka-topics.ts';

const RETRY_MS = 500;
/** What an abandoned rebalance costs; the members that answer do so at once. */
const REBALANCE_TIMEOUT_MS = 30_000;
const LEAVING_MS = 5_000;
const NO_USER_DATA = Buffer.alloc(0);

/** Our share of a group's partitions, until the group shares them out anew. */
export interface Share {
  readonly assignments: readonly GroupAssignment[];
  /** Aborted: the partitions are about to be another member's; nothing more may be begun. */
  readonly signal: AbortSignal;
  /** The group's place in each of the partitions that has one. */
  places(): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  /** Moves the group's places; it rejects when the share is no longer ours. */
  commit(places: readonly Omit<CommitOptionsPartition, 'leaderEpoch'>[]): Promise<void>;
}

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
  /** Works on a share; it returns, with all it did committed, soon after the share's signal. */
  readonly work: (share: Share) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * A member of a consumer group, for as long as it takes. The client tells the group that we live and joins again when
 * members come and go; here is what it leaves open: finishing what is in hand before the partitions go to others,
 * coming back after any failure, and topics that appear, grow or go.
 */
export function startGroupMember(options: GroupMemberOptions): { stop(): Promise<void> } {
  const { connection, group, topics, wanted, sessionTimeoutMs, lookMs, work, onError } = options;
  const stopping = new AbortController();
  let current: { generation: number; abort: AbortController; done: Promise<void> } | undefined;
  let isToJoin = true;
  let wakeUp = (): void => {};

  const rebalanceTimeout = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs);
  const consumer = new Consumer({
    ...clientOptions(connection, rebalanceTimeout + 5_000),
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout,
    heartbeatInterval: Math.ceil(sessionTimeoutMs / 5),
    heartbeatStallTimeout: sessionTimeoutMs,
    partitionAssigner: shareOut,
    // Called before each joining: the only place where the group waits for us.
    protocolsMetadata: async () => {
      await endShare();
      return NO_USER_DATA;
    },
  });

  /**
   * Ends the share; what takes longer than the group would wait for us is left to be delivered to another member again.
   */
  async function endShare(): Promise<void> {
    if (current === undefined) return;
    current.abort.abort();
    await pTimeout(current.done, { milliseconds: sessionTimeoutMs / 2, fallback: () => {} });
  }

  function rejoin(error: unknown): void {
    onError(error);
    current?.abort.abort();
    isToJoin = true;
    wakeUp();
  }

  function beginShare(): void {
    const { generationId: generation, memberId, assignments } = consumer;
    if (stopping.signal.aborted || (current?.generation === generation && !current.abort.signal.aborted)) return;
    current?.abort.abort();
    const abort = new AbortController();
    const share: Share = {
      assignments: assignments ?? [],
      signal: abort.signal,
      places: async () => {
        const found = await consumer.listCommittedOffsets({ topics: assignments ?? [] });
        return new Map(
          [...found].map(([topic, offsets]) => [topic, offsets.map((offset) => (offset < 0n ? undefined : offset))]),
        );
      },
      commit: async (places) => {
        if (consumer.generationId !== generation || consumer.memberId !== memberId)
          throw new Error("The partitions are another member's.");
        await consumer
          .commit({ offsets: places.map((place) => ({ ...place, leaderEpoch: -1 })) })
          .catch((error: unknown) => {
            if (isOutOfGroup(error) && !abort.signal.aborted) rejoin(error);
            throw error;
          });
      },
    };
    const done = work(share).catch((error: unknown) => {
      if (!stopping.signal.aborted) rejoin(error);
    });
    current = { generation, abort, done };
  }

  consumer.on('consumer:group:join', beginShare);
  consumer.on('consumer:heartbeat:error', ({ error }) => onError(error));
  // The group has given our partitions away, or will have by the time that it hears of us.
  consumer.on('consumer:heartbeat:stalled', ({ lastError }) =>
    rejoin(lastError ?? new Error('The group did not answer.')),
  );
  consumer.on('error', rejoin);

  async function keepJoined(): Promise<void> {
    let known = '';
    while (!stopping.signal.aborted) {
      const woken = new AbortController();
      wakeUp = () => woken.abort();
      const wasJoined = await join(known).catch((error: unknown) => {
        // That the group changed meanwhile is no failure.
        if (!stopping.signal.aborted && !isOutOfGroup(error)) onError(error);
        isToJoin = true;
      });
      known = wasJoined ?? known;
      await pause(
        isToJoin ? RETRY_MS : lookMs,
        isToJoin ? stopping.signal : AbortSignal.any([stopping.signal, woken.signal]),
      );
    }
  }

  /** Joins if need be; what it returns changes when the topics do. */
  async function join(known: string): Promise<string> {
    const partitions = await topics.ensure(wanted);
    const found = JSON.stringify([...partitions]);
    if (!isToJoin && found === known) return found;
    if (stopping.signal.aborted) return found;
    for (const topic of consumer.topics.current) if (!partitions.has(topic)) consumer.topics.untrack(topic);
    for (const topic of partitions.keys()) if (!consumer.topics.has(topic)) consumer.topics.track(topic);
    isToJoin = false;
    if (partitions.size > 0) await consumer.joinGroup();
    return found;
  }

  void keepJoined();
  return {
    stop: async () => {
      stopping.abort();
      current?.abort.abort();
      await current?.done;
      await pTimeout(consumer.close(true).catch(onError), { milliseconds: LEAVING_MS, fallback: () => {} });
    },
  };
}

/**
 * Shares out each topic's partitions in turn among those who ask for it; members of an older version may ask for
 * others.
 */
const shareOut: GroupPartitionsAssigner = (_current, members, _topics, { topics }) => {
  const shares = new Map(
    [...members.keys()]
      .toSorted()
      .map((memberId) => [memberId, { memberId, assignments: new Map<string, GroupAssignment>() }]),
  );
  let turn = 0;
  for (const [topic, { partitionsCount }] of topics) {
    const asking = [...shares.values()].filter(({ memberId }) => members.get(memberId)?.topics?.includes(topic));
    for (let partition = 0; partition < partitionsCount && asking.length > 0; partition += 1, turn += 1) {
      const { assignments } = asking[turn % asking.length]!;
      const ofTopic = assignments.get(topic) ?? { topic, partitions: [] };
      ofTopic.partitions.push(partition);
      assignments.set(topic, ofTopic);
    }
  }
  return [...shares.values()];
};
