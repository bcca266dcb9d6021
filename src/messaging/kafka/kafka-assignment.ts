import type { CommitOptionsPartition, Consumer, GroupAssignment } from '@platformatic/kafka';
import { isOutOfGroup } from './kafka-connection.ts';

/** The partitions that a group has assigned to us, until it assigns them anew. */
export interface Assignment {
  readonly partitions: readonly GroupAssignment[];
  /** Aborted: the partitions are about to be another member's; nothing more may be begun. */
  readonly revoked: AbortSignal;
  /** The group's offset, by topic and partition, where it has one. */
  committedOffsets(): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  /** Moves the group's offsets; it rejects when the partitions are no longer ours. */
  commit(offsets: readonly Omit<CommitOptionsPartition, 'leaderEpoch'>[]): Promise<void>;
}

/** What is needed to work on assignments. */
export interface AssignmentRunnerOptions {
  readonly consumer: Consumer;
  /** Works on an assignment; it returns, with all it did committed, soon after `revoked`. */
  readonly work: (assignment: Assignment) => Promise<void>;
  /** Hears that the assignment is lost, or the work on it: the group must be joined again. */
  readonly onLost: (error: unknown) => void;
  /** Aborted: nothing is begun any more. */
  readonly stopping: AbortSignal;
}

/** Works on what the group assigns to a consumer, one assignment after the other. */
export interface AssignmentRunner {
  /** Begins to work on what the consumer has been assigned. */
  begin(): void;
  /** Ends the work in hand; resolves when it has ended. */
  revoke(): Promise<void>;
}

/** A runner without an assignment yet. */
export function createAssignmentRunner({
  consumer,
  work,
  onLost,
  stopping,
}: AssignmentRunnerOptions): AssignmentRunner {
  let current: { generation: number; revoked: AbortController; done: Promise<void> } | undefined;
  return {
    begin: () => {
      const generation = consumer.generationId;
      if (stopping.aborted || (current?.generation === generation && !current.revoked.signal.aborted)) return;
      current?.revoked.abort();
      const revoked = new AbortController();
      const done = work(presentAssignment(consumer, { revoked: revoked.signal, onLost })).catch((error: unknown) => {
        if (!stopping.aborted) onLost(error);
      });
      current = { generation, revoked, done };
    },
    revoke: async () => {
      current?.revoked.abort();
      await current?.done;
    },
  };
}

function presentAssignment(
  consumer: Consumer,
  { revoked, onLost }: { revoked: AbortSignal; onLost: (error: unknown) => void },
): Assignment {
  const { generationId, memberId } = consumer;
  const partitions = consumer.assignments ?? [];
  return {
    partitions,
    revoked,
    committedOffsets: async () => {
      const found = await consumer.listCommittedOffsets({ topics: partitions });
      return new Map(
        [...found].map(([topic, offsets]) => [topic, offsets.map((offset) => (offset < 0n ? undefined : offset))]),
      );
    },
    commit: async (offsets) => {
      if (consumer.generationId !== generationId || consumer.memberId !== memberId)
        throw new Error("The partitions are another member's.");
      await consumer
        .commit({ offsets: offsets.map((offset) => ({ ...offset, leaderEpoch: -1 })) })
        .catch((error: unknown) => {
          if (isOutOfGroup(error) && !revoked.aborted) onLost(error);
          throw error;
        });
    },
  };
}
