import pg from 'pg';
import type { Logger } from 'pino';

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
  readonly pool: pg.Pool;
  readonly logger: Logger;
  /** Does what is there; true: look again at once. */
  readonly runOnce: () => Promise<boolean>;
}

/** A loop that polls, wakes up on NOTIFY, and survives every failure of `runOnce`: the next round tries again. */
export function createPollLoop({ name, channel, pollMs, pool, logger, runOnce }: PollLoopOptions): PollLoop {
  let stopped = false;
  let isWoken = false;
  let wakeSleeper: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let listener: pg.PoolClient | undefined;

  const wake = (): void => {
    isWoken = true;
    wakeSleeper?.();
  };
  const sleep = (): Promise<void> => new Promise((resolve) => {
    if (isWoken || stopped) return resolve();
    const timer = setTimeout(resolve, pollMs);
    wakeSleeper = () => { clearTimeout(timer); resolve(); };
  });

  /** A lost listener is only a slower loop: it is opened again in the next round. */
  async function listen(): Promise<void> {
    if (listener !== undefined) return;
    const client = await pool.connect();
    client.on('notification', wake);
    client.on('error', () => {
      if (listener !== client) return;
      listener = undefined;
      client.release(true);
    });
    listener = client;
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      isWoken = false;
      try {
        await listen();
        if (await runOnce()) continue;
      } catch (error) {
        logger.warn({ err: error, loop: name }, 'a round failed; the next one tries again');
        isWoken = false;
      }
      await sleep();
      wakeSleeper = undefined;
    }
  }

  return {
    wake,
    start: () => { running ??= run(); },
    stop: async () => {
      stopped = true;
      wake();
      await running;
      listener?.release(true);
    },
  };
}
