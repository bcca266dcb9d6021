import type { Writable } from 'node:stream';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { eventsBehind, type EventPlace, type NextEvent } from '../db/processes/process-list.ts';
import { createWakeup } from '../messaging/log/wakeup.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';

/** One client that follows the events of one process. */
export interface Follower extends EventPlace {
  /** Streams with the same owner count towards `maxStreamsOfOwner`; null: no such limit. */
  readonly owner: string | null;
  /** The data that the client gets for an event, and whether it is the last one. */
  readonly render: (event: NextEvent) => { readonly data: object; readonly isLast: boolean };
}

/** Streams the events of processes to their followers. One query in each round reads for all of them. */
export interface EventFeed {
  /** The limit that another stream of `owner` would exceed; null: none. */
  refuses(owner: string | null): 'too_many_streams' | 'streams_exhausted' | null;
  /**
   * Writes to `response` every event after the follower's place, then new ones as they happen. Ends after the last
   * event of the process, after `maxAgeMs`, or when the client disconnects.
   */
  follow(response: Writable, follower: Follower): void;
  /** Ends all streams; clients reconnect, to another API process, and go on after their last event. */
  stop(): Promise<void>;
}

/** What the feed is built from, and its limits. */
export interface EventFeedOptions {
  readonly pool: Pool;
  readonly pollMs: number;
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** Most streams of one API process; 1,000. */
  readonly maxStreams?: number;
  readonly maxStreamsOfOwner?: number;
  /**
   * Longest life of a stream, in milliseconds; 15 min. When the client reconnects its token and rights are checked
   * again.
   */
  readonly maxAgeMs?: number;
  /** Silence after which a comment is sent, in milliseconds, so that proxies keep the connection open; 15 s. */
  readonly heartbeatMs?: number;
}

interface Stream {
  readonly response: Writable;
  readonly follower: Follower;
  readonly endsAtMs: number;
  after: number;
  writtenAtMs: number;
  /** The client reads too slowly: no events are read for it until its buffer has drained. */
  isBlocked: boolean;
}

const EVENTS_A_ROUND = 50;

/** Makes the feed; it polls while there are streams. */
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

/** Reads and writes the next events of each stream; true: there may be more without waiting. */
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

/** Ends streams older than `maxAgeMs`, and sends a comment to silent ones. */
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
