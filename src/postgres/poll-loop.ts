import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { listen } from './listen.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';

/** Something that looks for work until it is stopped. */
export interface PollLoop {
  start(): void;
  /** Look now rather than at the next interval. */
  wake(): void;
  /** Stops after the work in hand. */
  stop(): Promise<void>;
}

/** How a loop looks for work. */
export interface PollLoopOptions {
  readonly name: string;
  /** PostgreSQL channel whose notifications wake the loop. */
  readonly channel: string;
  readonly pollMs: number;
  readonly pool: Pool;
  readonly logger: Logger;
  /** Does what is there; true: look again at once. */
  readonly runOnce: () => Promise<boolean>;
}

/** A loop that polls, wakes up on NOTIFY, and survives every failure of `runOnce`: the next round tries again. */
export function createPollLoop({ name, channel, pollMs, pool, logger, runOnce }: PollLoopOptions): PollLoop {
  const outage = createOutageLog({
    logger: logger.child({ loop: name }),
    message: 'rounds fail; the next one tries again',
  });
  let isStopped = false;
  let isWoken = false;
  let wakeSleeper = (): void => {};
  let running: Promise<void> | undefined;
  let stopListening: (() => Promise<void>) | undefined;

  const wake = (): void => {
    isWoken = true;
    wakeSleeper();
  };
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      if (isWoken || isStopped) return resolve();
      const timer = setTimeout(resolve, pollMs);
      wakeSleeper = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function run(): Promise<void> {
    while (!isStopped) {
      isWoken = false;
      try {
        const isMore = await runOnce();
        outage.succeeded();
        if (isMore) continue;
      } catch (error) {
        outage.failed(error);
        isWoken = false;
      }
      await sleep();
    }
  }

  return {
    wake,
    start: () => {
      stopListening ??= listen(pool, channel, wake);
      running ??= run();
    },
    stop: async () => {
      isStopped = true;
      wake();
      await Promise.all([running, stopListening?.()]);
    },
  };
}
