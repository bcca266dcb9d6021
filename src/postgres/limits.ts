/**
 * How long each part of a transaction may take, in milliseconds. Each limit lies above the one before, so that what
 * ends a wait is the innermost limit: a lock is freed by its idle holder's end before those who wait for it give up.
 */
export const DATABASE_LIMITS_MS = {
  /** A transaction whose client says nothing. */
  idleInTransaction: 10_000,
  /** One lock that is waited for. */
  lock: 12_000,
  /** One statement, as PostgreSQL measures it. */
  statement: 15_000,
  /** One statement, as its client measures it: for a server that has fallen silent. */
  answer: 18_000,
  /** A transaction of several statements, as its client measures it. */
  clientTransaction: 20_000,
  /** A whole transaction, as PostgreSQL measures it. */
  transaction: 25_000,
} as const;
