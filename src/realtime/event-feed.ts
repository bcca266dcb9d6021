import type { Writable } from 'node:stream';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { eventsBehind, type EventPlace, type NextEvent } from '../db/processes/process-list.ts';
import { createWakeup } from '../messaging/log/wakeup.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';

/** One reader of the events of one process. */
export interface Follower extends EventPlace {
  /** Whose streams are counted together; null: they are not. */
  readonly owner: string | null;
  /** An event as its reader gets it, and whether it is the last one. */
  readonly render: (event: NextEvent) => { readonly data: object; readonly isLast: boolean };
}

/** Brings the events of processes to those who follow them, by one query for all of them. */
export interface EventFeed {
  /** Why there is no room for another stream; null: there is. */
  refuses(owner: string | null): 'too_many_streams' | 'streams_exhausted' | null;
  /**
   * Writes every event behind the follower's place, then those that happen, until the last one, a quarter of an hour or
   * the reader's leave.
   */
  follow(response: Writable, follower: Follower): void;
  /** Ends all streams; their readers connect again, elsewhere. */
  stop(): Promise<void>;
}

/** How the feed works. */
export interface EventFeedOptions {
  readonly pool: Pool;
  readonly pollMs: number;
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** Streams of one API process. */
  readonly maxStreams?: number;
  readonly maxStreamsOfOwner?: number;
  /** Long enough to be rare, short enough that who may read is looked at again. */
  readonly maxAgeMs?: number;
  /** Pause after which a reader hears that the connection lives. */
  readonly heartbeatMs?: number;
}

interface Stream {
  readonly response: Writable;
  readonly follower: Follower;
  readonly endsAtMs: number;
  after: number;
  writtenAtMs: number;
  /** The reader is behind; nothing more is read for it until it has caught up. */
  isBlocked: boolean;
}

const EVENTS_A_ROUND = 50;

/** Makes the feed; it polls while somebody follows. */
export function createEventFeed({
  pool,
  pollMs,
  logger,
  maxStreams = 1_000,
  maxStreamsOfOwner = 20,
  maxAgeMs = 15 * 60_000,
  heartbeatMs = 15_000,
}: EventFeedOptions): EventFeed {
  const streams = new Set<Stream>();
  const wake = createWakeup();
  const outage = createOutageLog({ logger, message: 'the events of processes can not be read; trying again' });
  let isStopped = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (streams.size > 0) {
      let isMore = false;
      try {
        isMore = await deliverNext(pool, streams);
        outage.succeeded();
      } catch (error) {
        outage.failed(error);
      }
      keepAlive(streams, heartbeatMs);
      if (!isMore && streams.size > 0) await wake.wait(pollMs);
    }
    running = undefined;
  }

  return {
    refuses: (owner) => {
      if (isStopped || streams.size >= maxStreams) return 'streams_exhausted';
      const own = owner === null ? 0 : [...streams].filter(({ follower }) => follower.owner === owner).length;
      return own >= maxStreamsOfOwner ? 'too_many_streams' : null;
    },
    follow: (response, follower) => {
      if (isStopped || response.destroyed) return void response.end();
      const nowMs = performance.now();
      const stream: Stream = {
        response,
        follower,
        after: follower.after,
        writtenAtMs: nowMs,
        endsAtMs: nowMs + maxAgeMs,
        isBlocked: false,
      };
      streams.add(stream);
      response.on('close', () => {
        streams.delete(stream);
        wake.notify();
      });
      response.on('drain', () => {
        stream.isBlocked = false;
        wake.notify();
      });
      response.on('error', () => {}); // followed by 'close'
      wake.notify();
      running ??= run();
    },
    stop: async () => {
      isStopped = true;
      for (const stream of streams) end(streams, stream);
      wake.notify();
      await running;
    },
  };
}

/** Reads and writes what comes next in each stream; true: there may be more at once. */
async function deliverNext(pool: Pool, streams: Set<Stream>): Promise<boolean> {
  const ready = [...streams].filter(({ isBlocked }) => !isBlocked);
  const events = await eventsBehind(
    pool,
    ready.map(({ follower, after }) => ({ ...follower, after })),
    EVENTS_A_ROUND,
  );
  for (const event of events) {
    const stream = ready[event.place];
    if (stream === undefined || !streams.has(stream)) continue; // its reader left, or it had its last event
    const { data, isLast } = stream.follower.render(event);
    write(stream, `id: ${event.sequence}\ndata: ${JSON.stringify(data)}\n\n`);
    stream.after = event.sequence;
    if (isLast) end(streams, stream);
  }
  const counts = Map.groupBy(events, ({ place }) => place);
  return [...counts.values()].some(({ length }) => length === EVENTS_A_ROUND);
}

/** Ends streams that have had their time, and lets the readers of silent ones know that somebody is there. */
function keepAlive(streams: Set<Stream>, heartbeatMs: number): void {
  const nowMs = performance.now();
  for (const stream of streams) {
    if (nowMs >= stream.endsAtMs) end(streams, stream);
    else if (!stream.isBlocked && nowMs - stream.writtenAtMs >= heartbeatMs) write(stream, ': still here\n\n');
  }
}

function write(stream: Stream, text: string): void {
  stream.writtenAtMs = performance.now();
  stream.isBlocked = !stream.response.write(text);
}

function end(streams: Set<Stream>, stream: Stream): void {
  streams.delete(stream);
  stream.response.end();
}
