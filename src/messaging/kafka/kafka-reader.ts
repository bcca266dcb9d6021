import { Consumer } from '@platformatic/kafka';
import type { BusMessage } from '../bus.ts';
import { pause } from '../delivery.ts';
import type { Assignment } from './kafka-assignment.ts';
import { createCommitter, type Committer } from './kafka-committer.ts';
import { clientOptions, isKafkaError, type KafkaConnection } from './kafka-connection.ts';
import { fetchIntoLanes } from './kafka-fetch.ts';
import { lanesOf, type PartitionLane } from './kafka-lane.ts';
import { findLeaders, moveIntoRange, moveToCommitted } from './kafka-offsets.ts';

const REQUEST_TIMEOUT_MS = 15_000;
const RETRY_MS = 500;
/** Messages of a partition between two commits: what is delivered again after a crash, at most. */
const BATCH_SIZE = 500;

/** What reading needs. */
export interface AssignmentReaderOptions {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly defaultTenant: string;
  /** Returns how many of the messages, from the first on, are done with. */
  readonly deliver: (messages: readonly BusMessage[], signal: AbortSignal) => Promise<number>;
  readonly onError: (error: unknown) => void;
}

/** An assignment that is being read. */
interface Reading extends AssignmentReaderOptions {
  readonly fetcher: Consumer;
  readonly committer: Committer;
  readonly lanes: readonly PartitionLane[];
  /** Nodes from which a fetch is under way. */
  readonly inFlight: Set<number>;
  readonly revoked: AbortSignal;
  /** Hears of what no retry cures. */
  readonly fail: (error: unknown) => void;
}

/**
 * Reads an assignment until it is revoked: each partition from the group's offset on, or from the oldest message that
 * is kept. One batch of a partition is in work while the next is fetched; its end is committed when all of it is done
 * with.
 */
export async function readAssignment(assignment: Assignment, options: AssignmentReaderOptions): Promise<void> {
  const { connection, group, onError } = options;
  const { partitions, revoked } = assignment;
  // A client of its own: a long poll would keep heartbeats waiting, and closing this one ends it.
  const fetcher = new Consumer({ ...clientOptions(connection, REQUEST_TIMEOUT_MS), groupId: group });
  fetcher.topics.trackAll(...partitions.map(({ topic }) => topic));
  const committer = createCommitter({ assignment, onError });
  const lanes = lanesOf(partitions);
  const failure = Promise.withResolvers<never>();
  const reading = { ...options, fetcher, committer, lanes, inFlight: new Set<number>(), revoked, fail: failure.reject };
  try {
    await retried(reading, () => moveToCommitted(fetcher, assignment, lanes));
    await retried(reading, () => findLeaders(fetcher, lanes));
    pump(reading);
    await Promise.race([aborted(revoked), failure.promise]);
  } finally {
    await fetcher.close().catch(onError);
    for (const { work } of lanes) await work;
    await committer.finish();
  }
}

/** Fetches for each leader whose partitions have nothing waiting, unless a fetch from it is under way. */
function pump(reading: Reading): void {
  const { lanes, inFlight, revoked } = reading;
  if (revoked.aborted) return;
  const empty = lanes.filter(({ waiting }) => waiting.length === 0);
  for (const [node, wanting] of Map.groupBy(empty, ({ leader }) => leader)) {
    if (inFlight.has(node)) continue;
    inFlight.add(node);
    void fetchIntoLanes({ ...reading, node, lanes: wanting })
      .finally(() => startDelivery(reading, wanting))
      .catch((error: unknown) => recover(reading, error, wanting))
      .then(() => {
        inFlight.delete(node);
        pump(reading);
      });
  }
}

function startDelivery(reading: Reading, lanes: readonly PartitionLane[]): void {
  if (reading.revoked.aborted) return;
  for (const lane of lanes)
    if (lane.waiting.length > 0) lane.work ??= deliverWaiting(reading, lane).catch(reading.fail);
}

async function deliverWaiting(reading: Reading, lane: PartitionLane): Promise<void> {
  const { deliver, committer, revoked } = reading;
  while (lane.waiting.length > 0 && !revoked.aborted) {
    const batch = lane.waiting.splice(0, BATCH_SIZE);
    if (lane.waiting.length === 0) pump(reading);
    const done = await deliver(
      batch.map(({ message }) => message),
      revoked,
    );
    const last = batch[done - 1];
    if (last !== undefined) committer.done(lane, last.end);
    if (done < batch.length) break;
  }
  lane.work = undefined;
}

async function recover(reading: Reading, error: unknown, lanesInTrouble: readonly PartitionLane[]): Promise<void> {
  const { fetcher, lanes, revoked, onError } = reading;
  if (revoked.aborted) return;
  onError(error);
  await pause(RETRY_MS, revoked);
  await retried(reading, async () => {
    await findLeaders(fetcher, lanes);
    if (isKafkaError(error, 'OFFSET_OUT_OF_RANGE')) await moveIntoRange(fetcher, lanesInTrouble);
  });
}

/** Tries until it works or the assignment is revoked. */
async function retried({ revoked, onError }: Reading, work: () => Promise<void>): Promise<void> {
  while (!revoked.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!revoked.aborted) onError(error);
      await pause(RETRY_MS, revoked);
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
