import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** One holder's claim on a duty; times are PostgreSQL's, so the clocks of the processes don't matter. */
export interface LeaseClaim {
  readonly name: string;
  /** Distinct for each process. */
  readonly owner: string;
  readonly ttlMs: number;
}

/** Takes or prolongs a lease; false: another owner has it. */
export async function acquireLease(pool: pg.Pool, { name, owner, ttlMs }: LeaseClaim): Promise<boolean> {
  const { rowCount } = await pool.query(
    `
    INSERT INTO leases AS held (name, owner, expires_at) VALUES ($1, $2,
      clock_timestamp() + make_interval(secs => $3::float8))
    ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at
    WHERE held.owner = EXCLUDED.owner OR held.expires_at <= clock_timestamp()`,
    [name, owner, ttlMs / 1000],
  );
  return rowCount === 1;
}

/** Gives a lease back, so that the next holder need not wait until it runs out. */
export async function releaseLease(pool: pg.Pool, { name, owner }: Pick<LeaseClaim, 'name' | 'owner'>): Promise<void> {
  await pool.query('DELETE FROM leases WHERE name = $1 AND owner = $2', [name, owner]);
}

/**
 * Runs `work` if the lease can be had, and returns whether it did. The lease is kept afterwards: a holder that comes
 * back before `ttlMs` is over remains the holder. Work that outlives the lease may overlap with the next holder's.
 */
export async function withLease(pool: pg.Pool, claim: LeaseClaim, work: () => Promise<void>): Promise<boolean> {
  if (!(await acquireLease(pool, claim))) return false;
  await work();
  return true;
}

/** How long a lease of `holdingLease` outlives a process that died with it. */
const HELD_TTL_MS = 15_000;

/**
 * Runs `work` under a lease that is prolonged for as long as it takes; returns undefined at once when another holds it.
 * No connection is held meanwhile, so that `work` has the whole pool. A process that could not reach PostgreSQL for the
 * lease's time may overlap with the next holder.
 */
export async function holdingLease<Result>(
  pool: pg.Pool,
  name: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const claim = { name, owner: randomUUID(), ttlMs: HELD_TTL_MS };
  if (!(await acquireLease(pool, claim))) return undefined;
  let renewal: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    renewal = acquireLease(pool, claim).catch(() => {}); // the next one may succeed
  }, HELD_TTL_MS / 5);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewal; // it would take the lease again
    await releaseLease(pool, claim).catch(() => {}); // it runs out by itself
  }
}
