import { AsyncLocalStorage } from 'node:async_hooks';
import type pg from 'pg';

/** A connection that the code at work holds. */
interface Held {
  readonly pool: pg.Pool;
  readonly within: Held | undefined;
  isReleased: boolean;
}

const atWork = new AsyncLocalStorage<Held>();

/** Runs `work`, which holds a connection of `pool`, and may not ask that pool for another meanwhile. */
export async function whileHolding<Result>(pool: pg.Pool, work: () => Promise<Result>): Promise<Result> {
  const held: Held = { pool, within: atWork.getStore(), isReleased: false };
  try {
    return await atWork.run(held, work);
  } finally {
    held.isReleased = true;
  }
}

/**
 * Throws where the code at work holds a connection of `pool` already. As many callers as the pool has connections would
 * each hold one and wait for a second, and nothing would move until they give up; so it is a bug with one caller, too.
 */
export function assertHoldsNone(pool: pg.Pool): void {
  for (let held = atWork.getStore(); held !== undefined; held = held.within)
    if (held.pool === pool && !held.isReleased)
      throw new Error('a second connection of the pool was asked for while one is held');
}
