import type { Logger } from 'pino';
import { createOutageLog } from '../telemetry/outage-log.ts';

/** Who follows a stream. */
export interface Reader {
  /** The user whose row decides what may be read; null: the token alone decides. */
  readonly userId: string | null;
  /** From when on the token is refused, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Why a stream ends before what it tells of: what whoever asks again is answered. */
export const STREAM_ENDS = ['unauthenticated', 'account_inactive', 'order_not_found', 'database_unavailable'] as const;
export type StreamEnd = (typeof STREAM_ENDS)[number];

/** A stream as its watch sees it. */
export interface WatchedStream {
  readonly reader: Reader;
  /** When the reader's right was last seen to hold, on the clock of `performance`. */
  confirmedAtMs: number;
}

/** What the watch is built from. */
export interface ReaderWatchOptions<Stream extends WatchedStream> {
  /** The streams that are open now. */
  readonly streams: ReadonlySet<Stream>;
  readonly end: (stream: Stream, code: StreamEnd) => void;
  /** Which of these, each of a user, may be read no longer; one query for all. */
  readonly lostAmong: (streams: readonly Stream[]) => Promise<readonly (StreamEnd | null)[]>;
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** How often rights are looked at, in milliseconds. */
  readonly checkMs: number;
  /** How long a stream goes on while the rights of its reader can't be looked at, in milliseconds. */
  readonly maxUncheckedMs: number;
}

/** Ends streams whose readers may read no longer. */
export interface ReaderWatch {
  /** Begins unless it is at work; it rests by itself when there are no streams. */
  start(): void;
  stop(): Promise<void>;
}

const MOST_TICK_MS = 1_000;

/** Makes the watch. Its clock does not wait for the database. */
export function createReaderWatch<Stream extends WatchedStream>({
  streams,
  end,
  lostAmong,
  logger,
  checkMs,
  maxUncheckedMs,
}: ReaderWatchOptions<Stream>): ReaderWatch {
  const outage = createOutageLog({ logger, message: 'the rights of those who follow can not be read; trying again' });
  let timer: NodeJS.Timeout | undefined;
  let checkedAtMs = -Infinity;
  let checking: Promise<void> | undefined;

  async function check(): Promise<void> {
    checkedAtMs = performance.now();
    const atMs = checkedAtMs;
    const asked = [...streams].filter(({ reader }) => reader.userId !== null);
    if (asked.length === 0) return;
    try {
      const lost = await lostAmong(asked);
      for (const [index, stream] of asked.entries()) {
        const code = lost[index] ?? null;
        if (code === null) stream.confirmedAtMs = atMs;
        else if (streams.has(stream)) end(stream, code);
      }
      outage.succeeded();
    } catch (error) {
      outage.failed(error);
    }
  }

  function tick(): void {
    for (const stream of streams) {
      const { userId, expiresAtMs } = stream.reader;
      const uncheckedMs = userId === null ? 0 : performance.now() - stream.confirmedAtMs;
      if (Date.now() >= expiresAtMs) end(stream, 'unauthenticated');
      else if (uncheckedMs >= maxUncheckedMs) end(stream, 'database_unavailable');
    }
    if (streams.size === 0) return rest();
    if (checking === undefined && performance.now() - checkedAtMs >= checkMs)
      checking = check().finally(() => (checking = undefined));
  }

  function rest(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    start: () => {
      timer ??= setInterval(tick, Math.min(checkMs, MOST_TICK_MS));
    },
    stop: async () => {
      rest();
      await checking;
    },
  };
}
