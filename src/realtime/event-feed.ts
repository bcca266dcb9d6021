import type { Writable } from 'node:stream';
import type { Logger } from 'pino';
import { eventsBehind, type EventPlace, type NextEvent, type ProcessKey } from '../db/processes/process-list.ts';
import { createWakeup } from '../messaging/log/wakeup.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';
import { createReaderWatch, type Reader, type StreamEnd, type WatchedStream } from './reader-watch.ts';
import type { StreamBudget, StreamOwner, StreamRefusal } from './stream-budget.ts';
import type { TenantPool } from '../postgres/pool.ts';

/** One client that follows the events of one process. */
export interface Follower extends EventPlace {
  /** Whose place the stream takes. */
  readonly owner: StreamOwner;
  readonly reader: Reader;
  /** The data that the client gets for an event, and whether it is the last one, as far as it is known. */
  readonly render: (event: NextEvent) => { readonly data: object; readonly isLast: boolean };
  /** The data of the event `end`, by which a stream ends before what it follows. */
  readonly renderEnd: (code: StreamEnd) => object;
}

/** Streams the events of processes to their followers. One query in each round reads for all of them. */
export interface EventFeed {
  /**
   * Writes to `response` every event after the follower's place, then new ones as they happen. Ends after the last
   * event of the process, after `maxAgeMs`, when the client disconnects, or with an event `end` when its reader may
   * read no longer. Answers the limit that the stream would exceed; null: it is open.
   */
  follow(response: Writable, follower: Follower): StreamRefusal | null;
  /** Ends all streams; clients reconnect, to another API process, and go on after their last event. */
  stop(): Promise<void>;
}

/** What the feed is built from, and its limits. */
export interface EventFeedOptions {
  readonly pool: TenantPool;
  readonly pollMs: number;
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  readonly budget: StreamBudget;
  /** Which readers, of role `user`, may follow their process no longer; one query for all. */
  readonly lostBy: (readers: readonly UserOfProcess[]) => Promise<readonly (StreamEnd | null)[]>;
  /** How often the rights of all readers are looked at, in milliseconds; 5 s. */
  readonly checkMs?: number;
  /** How long a user's stream goes on while they can't be looked at, in milliseconds; 1 min. */
  readonly maxUncheckedMs?: number;
  /** Longest life of a stream, in milliseconds; 15 min. When the client reconnects everything is checked again. */
  readonly maxAgeMs?: number;
  /** Silence after which a comment is sent, in milliseconds; `HEARTBEAT_MS`. */
  readonly heartbeatMs?: number;
}

/** Silence of a stream, in milliseconds, after which a comment is sent, so that proxies keep the connection open. */
export const HEARTBEAT_MS = 15_000;

/** A user who follows a process. */
export interface UserOfProcess extends ProcessKey {
  readonly userId: string;
}

interface Stream extends WatchedStream {
  readonly response: Writable;
  readonly follower: Follower;
  readonly endsAtMs: number;
  after: number;
  writtenAtMs: number;
  /** The client reads too slowly: no events are read for it until its buffer has drained. */
  isBlocked: boolean;
}

const EVENTS_A_ROUND = 50;
/** How long the end of a stream may take to reach a client that does not read, before the connection is cut. */
const LINGER_MS = 5_000;

/** Makes the feed; it polls while there are streams. */
export function createEventFeed({
  pool,
  pollMs,
  logger,
  budget,
  lostBy,
  checkMs = 5_000,
  maxUncheckedMs = 60_000,
  maxAgeMs = 15 * 60_000,
  heartbeatMs = HEARTBEAT_MS,
}: EventFeedOptions): EventFeed {
  const streams = new Set<Stream>();
  const wake = createWakeup();
  const outage = createOutageLog({ logger, message: 'the events of processes can not be read; trying again' });
  const watch = createReaderWatch<Stream>({
    streams,
    logger,
    checkMs,
    maxUncheckedMs,
    lostAmong: (some) =>
      lostBy(
        some.flatMap(({ reader: { userId }, follower: { tenantId, processId } }) =>
          userId === null ? [] : [{ tenantId, userId, processId }],
        ),
      ),
    end: (stream, code) => {
      write(stream, `event: end\ndata: ${JSON.stringify(stream.follower.renderEnd(code))}\n\n`);
      end(streams, stream);
    },
  });
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
    follow: (response, follower) => {
      if (isStopped) return 'streams_exhausted';
      if (response.destroyed) return null;
      const place = budget.take(follower.owner);
      if (!place.isTaken) return place.code;
      const nowMs = performance.now();
      const stream: Stream = {
        response,
        follower,
        reader: follower.reader,
        after: follower.after,
        confirmedAtMs: nowMs,
        writtenAtMs: nowMs,
        endsAtMs: nowMs + maxAgeMs,
        isBlocked: false,
      };
      streams.add(stream);
      response.on('close', () => {
        place.release();
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
      watch.start();
      return null;
    },
    stop: async () => {
      isStopped = true;
      for (const stream of streams) end(streams, stream);
      wake.notify();
      await Promise.all([running, watch.stop()]);
    },
  };
}

/** Reads and writes the next events of each stream; true: there may be more without waiting. */
async function deliverNext(pool: TenantPool, streams: Set<Stream>): Promise<boolean> {
  const ready = [...streams].filter(({ isBlocked }) => !isBlocked);
  const events = await eventsBehind(
    pool,
    ready.map(({ follower, after }) => ({ ...follower, after })),
    EVENTS_A_ROUND,
  );
  for (const [index, event] of events.entries()) {
    const stream = ready[event.place];
    if (stream === undefined || !streams.has(stream)) continue; // its reader left, or it had its last event
    const { data, isLast } = stream.follower.render(event);
    write(stream, `id: ${event.sequence}\ndata: ${JSON.stringify(data)}\n\n`);
    stream.after = event.sequence;
    // A process that was over and reopened has events behind that one.
    if (isLast && events[index + 1]?.place !== event.place) end(streams, stream);
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
  const { response } = stream;
  const cut = setTimeout(() => response.destroy(), LINGER_MS).unref();
  response.once('close', () => clearTimeout(cut));
  response.end();
}
