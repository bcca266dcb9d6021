import { Consumer, FetchIsolationLevels, IS_CONTROL, ListOffsetTimestamps, ResponseError } from '@platformatic/kafka';
import type { BusMessage } from '../bus.ts';
import { pause } from '../delivery.ts';
import { clientOptions, isKafkaError, type KafkaConnection } from './kafka-connection.ts';
import { createCommitter } from './kafka-committer.ts';
import type { Share } from './kafka-group.ts';
import { fromKafka } from './kafka-message.ts';

const REQUEST_TIMEOUT_MS = 15_000;
const LONG_POLL_MS = 500;
const RETRY_MS = 500;
const MAX_BYTES_PER_PARTITION = 1_048_576;
const MAX_BYTES = 16 * MAX_BYTES_PER_PARTITION;
/** Messages of a partition between two commits: what is delivered again after a crash, at most. */
const BATCH_SIZE = 500;

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

/** A partition on its way through the process. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  /** Offset to fetch from; never what is committed. */
  next: bigint;
  leader: number;
  readonly waiting: { readonly message: BusMessage; readonly end: bigint }[];
  work: Promise<void> | undefined;
}

/** What reading needs. */
export interface ShareReaderOptions {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly defaultTenant: string;
  /** Returns how many of the messages, from the first on, are done with. */
  readonly deliver: (messages: readonly BusMessage[], signal: AbortSignal) => Promise<number>;
  readonly onError: (error: unknown) => void;
}

/**
 * Reads a share of partitions until its signal: each from the group's place on, or from the oldest message that is
 * kept. One batch of a partition is in work while the next is fetched; its end is committed when all of it is done
 * with.
 */
export async function readShare(share: Share, options: ShareReaderOptions): Promise<void> {
  const { assignments, signal } = share;
  const { connection, group, deliver, onError } = options;
  // A client of its own: a long poll would keep heartbeats waiting, and closing this one ends it.
  const fetcher = new Consumer({ ...clientOptions(connection, REQUEST_TIMEOUT_MS), groupId: group });
  fetcher.topics.trackAll(...assignments.map(({ topic }) => topic));
  const committer = createCommitter({ share, onError });
  const broken = Promise.withResolvers<void>();
  const inFlight = new Set<number>();
  const lanes: Lane[] = assignments.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition, next: 0n, leader: -1, waiting: [], work: undefined })),
  );

  const retried = async (work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (!signal.aborted) onError(error);
        await pause(RETRY_MS, signal);
      }
    }
  };

  async function locate(): Promise<void> {
    const { topics } = await fetcher.metadata({
      topics: [...new Set(lanes.map(({ topic }) => topic))],
      forceUpdate: true,
    });
    for (const lane of lanes) lane.leader = topics.get(lane.topic)?.partitions[lane.partition]?.leader ?? -1;
  }

  async function moveToOldest(moved: readonly Lane[]): Promise<void> {
    if (moved.length === 0) return;
    const partitions = Map.groupBy(moved, ({ topic }) => topic);
    const offsets = await fetcher.listOffsets({
      topics: [...partitions.keys()],
      timestamp: ListOffsetTimestamps.EARLIEST,
      partitions: Object.fromEntries(
        [...partitions].map(([topic, ofTopic]) => [topic, ofTopic.map(({ partition }) => partition)]),
      ),
    });
    for (const lane of moved) lane.next = offsets.get(lane.topic)?.[lane.partition] ?? lane.next;
  }

  async function findPlaces(): Promise<void> {
    const places = await share.places();
    const fresh = lanes.filter((lane) => {
      const place = places.get(lane.topic)?.[lane.partition];
      lane.next = place ?? 0n;
      return place === undefined;
    });
    await moveToOldest(fresh);
  }

  /** Fetches for each leader whose partitions have nothing waiting, unless a fetch from it is under way. */
  function pump(): void {
    if (signal.aborted) return;
    for (const [leader, wanting] of Map.groupBy(
      lanes.filter(({ waiting }) => waiting.length === 0),
      (lane) => lane.leader,
    )) {
      if (inFlight.has(leader)) continue;
      inFlight.add(leader);
      void fetchFrom(leader, wanting)
        .catch((error: unknown) => recover(error, wanting))
        .then(() => {
          inFlight.delete(leader);
          pump();
        });
    }
  }

  async function fetchFrom(node: number, wanting: readonly Lane[]): Promise<void> {
    const { topics } = await fetcher.metadata({ topics: [...new Set(wanting.map(({ topic }) => topic))] });
    const request = [...Map.groupBy(wanting, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topicId: topics.get(topic)?.id ?? '',
      partitions: ofTopic.map(({ partition, next }) => ({
        partition,
        fetchOffset: next,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        partitionMaxBytes: MAX_BYTES_PER_PARTITION,
      })),
    }));
    const topicOf = new Map([...topics].map(([topic, { id }]) => [id, topic]));
    try {
      take(
        await fetcher.fetch({
          node,
          topics: request,
          minBytes: 1,
          maxBytes: MAX_BYTES,
          maxWaitTime: LONG_POLL_MS,
          isolationLevel: FetchIsolationLevels.READ_COMMITTED,
        }),
        topicOf,
        wanting,
      );
    } catch (error) {
      // One partition's trouble must not starve those that came along.
      if (error instanceof ResponseError) take(error.response, topicOf, wanting);
      throw error;
    }
  }

  function take({ responses }: FetchResponse, topicOf: ReadonlyMap<string, string>, wanting: readonly Lane[]): void {
    if (signal.aborted) return;
    for (const { topicId, partitions } of responses) {
      for (const { partitionIndex, errorCode, records } of partitions) {
        const lane = wanting.find(
          ({ topic, partition }) => topic === topicOf.get(topicId) && partition === partitionIndex,
        );
        if (lane === undefined || errorCode !== 0) continue;
        for (const batch of records ?? []) {
          const from = lane.next;
          lane.next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
          if ((batch.attributes & IS_CONTROL) !== 0) continue;
          for (const record of batch.records) {
            const offset = batch.firstOffset + BigInt(record.offsetDelta);
            // A batch is given whole, although we asked for its middle.
            if (offset < from) continue;
            lane.waiting.push({
              message: fromKafka(record, { ...lane, offset }, options.defaultTenant),
              end: offset + 1n,
            });
          }
        }
        if (lane.waiting.length > 0) lane.work ??= deliverWaiting(lane).catch(broken.reject);
      }
    }
  }

  async function deliverWaiting(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0 && !signal.aborted) {
      const batch = lane.waiting.splice(0, BATCH_SIZE);
      if (lane.waiting.length === 0) pump();
      const done = await deliver(
        batch.map(({ message }) => message),
        signal,
      );
      const last = batch[done - 1];
      if (last !== undefined) committer.done(lane, last.end);
      if (done < batch.length) break;
    }
    lane.work = undefined;
  }

  async function recover(error: unknown, lanesInTrouble: readonly Lane[]): Promise<void> {
    if (signal.aborted) return;
    onError(error);
    await pause(RETRY_MS, signal);
    await retried(async () => {
      await locate();
      if (isKafkaError(error, 'OFFSET_OUT_OF_RANGE')) await findOutOfRange(lanesInTrouble);
    });
  }

  /**
   * The messages up to the oldest that is kept are past saving; that the topic was made anew is the other way to get
   * here.
   */
  async function findOutOfRange(suspects: readonly Lane[]): Promise<void> {
    const range = async (timestamp: bigint) =>
      await fetcher.listOffsets({ topics: [...new Set(suspects.map(({ topic }) => topic))], timestamp });
    const [oldest, newest] = [await range(ListOffsetTimestamps.EARLIEST), await range(ListOffsetTimestamps.LATEST)];
    await moveToOldest(
      suspects.filter(
        ({ topic, partition, next }) =>
          next < (oldest.get(topic)?.[partition] ?? next) || next > (newest.get(topic)?.[partition] ?? next),
      ),
    );
  }

  try {
    await retried(findPlaces);
    await retried(locate);
    pump();
    await Promise.race([aborted(signal), broken.promise]);
  } finally {
    await fetcher.close().catch(onError);
    for (const { work } of lanes) await work;
    await committer.finish();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
