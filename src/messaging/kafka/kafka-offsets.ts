import { ListOffsetTimestamps, type Consumer } from '@platformatic/kafka';
import type { Assignment } from './kafka-assignment.ts';
import { topicsOf, type PartitionLane } from './kafka-lane.ts';

/** Asks which nodes lead the lanes' partitions. */
export async function findLeaders(fetcher: Consumer, lanes: readonly PartitionLane[]): Promise<void> {
  const { topics } = await fetcher.metadata({ topics: topicsOf(lanes), forceUpdate: true });
  for (const lane of lanes) lane.leader = topics.get(lane.topic)?.partitions[lane.partition]?.leader ?? -1;
}

/** Moves each lane to the group's offset, or to the oldest message that is kept where the group has none. */
export async function moveToCommitted(
  fetcher: Consumer,
  assignment: Assignment,
  lanes: readonly PartitionLane[],
): Promise<void> {
  const committed = await assignment.committedOffsets();
  const fresh = lanes.filter((lane) => {
    const offset = committed.get(lane.topic)?.[lane.partition];
    lane.next = offset ?? 0n;
    return offset === undefined;
  });
  await moveToOldest(fetcher, fresh);
}

/**
 * Moves lanes that stand outside of what is kept to the oldest message. Those before it are past saving; that the topic
 * was made anew is the other way to get here.
 */
export async function moveIntoRange(fetcher: Consumer, suspects: readonly PartitionLane[]): Promise<void> {
  const range = (timestamp: bigint) => fetcher.listOffsets({ topics: topicsOf(suspects), timestamp });
  const [oldest, newest] = [await range(ListOffsetTimestamps.EARLIEST), await range(ListOffsetTimestamps.LATEST)];
  await moveToOldest(
    fetcher,
    suspects.filter(
      ({ topic, partition, next }) =>
        next < (oldest.get(topic)?.[partition] ?? next) || next > (newest.get(topic)?.[partition] ?? next),
    ),
  );
}

async function moveToOldest(fetcher: Consumer, moved: readonly PartitionLane[]): Promise<void> {
  if (moved.length === 0) return;
  const byTopic = Map.groupBy(moved, ({ topic }) => topic);
  const offsets = await fetcher.listOffsets({
    topics: [...byTopic.keys()],
    timestamp: ListOffsetTimestamps.EARLIEST,
    partitions: Object.fromEntries(
      [...byTopic].map(([topic, lanes]) => [topic, lanes.map(({ partition }) => partition)]),
    ),
  });
  for (const lane of moved) lane.next = offsets.get(lane.topic)?.[lane.partition] ?? lane.next;
}
