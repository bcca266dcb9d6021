import { FetchIsolationLevels, IS_CONTROL, ResponseError, type Consumer } from '@platformatic/kafka';
import { topicsOf, type PartitionLane } from './kafka-lane.ts';
import { fromKafka } from './kafka-message.ts';

const LONG_POLL_MS = 500;
const MAX_BYTES_PER_PARTITION = 1_048_576;
const MAX_BYTES = 16 * MAX_BYTES_PER_PARTITION;

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;
type RecordsBatch = NonNullable<FetchResponse['responses'][number]['partitions'][number]['records']>[number];

/** What one fetch needs. */
export interface FetchOptions {
  readonly fetcher: Consumer;
  readonly node: number;
  /** Lanes of partitions that the node leads. */
  readonly lanes: readonly PartitionLane[];
  readonly defaultTenant: string;
  /** Aborted: what comes is dropped. */
  readonly revoked: AbortSignal;
}

/**
 * Fetches from one node into the lanes and moves them on. It rejects when a partition could not be read, after the
 * others got what came for them.
 */
export async function fetchIntoLanes(options: FetchOptions): Promise<void> {
  const { fetcher, node, lanes } = options;
  const { topics } = await fetcher.metadata({ topics: topicsOf(lanes) });
  const topicNames = new Map([...topics].map(([topic, { id }]) => [id, topic]));
  try {
    const response = await fetcher.fetch({
      node,
      topics: [...Map.groupBy(lanes, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
        topicId: topics.get(topic)?.id ?? '',
        partitions: ofTopic.map(requestOf),
      })),
      minBytes: 1,
      maxBytes: MAX_BYTES,
      maxWaitTime: LONG_POLL_MS,
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    });
    fillLanes(response, topicNames, options);
  } catch (error) {
    // One partition's trouble must not starve those that came along.
    if (error instanceof ResponseError) fillLanes(error.response, topicNames, options);
    throw error;
  }
}

function requestOf({ partition, next }: PartitionLane) {
  return {
    partition,
    fetchOffset: next,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    partitionMaxBytes: MAX_BYTES_PER_PARTITION,
  };
}

function fillLanes(
  { responses }: FetchResponse,
  topicNames: ReadonlyMap<string, string>,
  { lanes, defaultTenant, revoked }: FetchOptions,
): void {
  if (revoked.aborted) return;
  for (const { topicId, partitions } of responses) {
    for (const { partitionIndex, errorCode, records } of partitions) {
      const lane = lanes.find(
        ({ topic, partition }) => topic === topicNames.get(topicId) && partition === partitionIndex,
      );
      if (lane === undefined || errorCode !== 0) continue;
      for (const batch of records ?? []) append(lane, batch, defaultTenant);
    }
  }
}

function append(lane: PartitionLane, batch: RecordsBatch, defaultTenant: string): void {
  const from = lane.next;
  lane.next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
  if ((batch.attributes & IS_CONTROL) !== 0) return;
  for (const record of batch.records) {
    const offset = batch.firstOffset + BigInt(record.offsetDelta);
    // A batch is given whole, although we asked for its middle.
    if (offset < from) continue;
    lane.waiting.push({ message: fromKafka(record, { ...lane, offset }, defaultTenant), end: offset + 1n });
  }
}
