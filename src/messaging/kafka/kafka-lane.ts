import type { GroupAssignment } from '@platformatic/kafka';
import type { BusMessage } from '../bus.ts';

/** A partition on its way through the process. */
export interface PartitionLane {
  readonly topic: string;
  readonly partition: number;
  /** Offset to fetch from; never what is committed. */
  next: bigint;
  /** Node to fetch from; -1: not known. */
  leader: number;
  /** Messages that were fetched, each with the offset that follows it. */
  readonly waiting: { readonly message: BusMessage; readonly end: bigint }[];
  /** Delivers what waits. */
  work: Promise<void> | undefined;
}

/** A lane for each partition, with nothing in it. */
export function lanesOf(partitions: readonly GroupAssignment[]): PartitionLane[] {
  return partitions.flatMap(({ topic, partitions: ofTopic }) =>
    ofTopic.map((partition) => ({ topic, partition, next: 0n, leader: -1, waiting: [], work: undefined })),
  );
}

/** The lanes' topics, each once. */
export function topicsOf(lanes: readonly PartitionLane[]): string[] {
  return [...new Set(lanes.map(({ topic }) => topic))];
}
