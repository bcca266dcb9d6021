import type { Priority } from '@temporalio/common';

/** Ranks of what waits in the task queue: a lower number is served first, 3 is what was started without a rank. */
const RANKS = {
  /** What people wait for: orders, refunds, commands and the promises to users. */
  awaited: 2,
  /** What may come later: audits, bulk operations, hand-overs of mail and text messages. */
  background: 4,
} as const;

export type Rank = keyof typeof RANKS;

/**
 * The rank of a workflow or activity, and the tenant whose share it takes of what is served at that rank; without one
 * an activity takes its workflow's. A name of a tenant fits into the 64 bytes that a key may have.
 */
export function priorityOf(rank: Rank, tenantId?: string): Priority {
  return { priorityKey: RANKS[rank], ...(tenantId === undefined ? {} : { fairnessKey: tenantId }) };
}
