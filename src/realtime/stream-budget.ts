/** Who opens a stream or a socket. */
export interface StreamOwner {
  readonly tenantId: string;
  readonly subject: string;
  readonly role: string;
}

/** The limit that one more would exceed: of the caller, of its tenant, or of this API process. */
export type StreamRefusal = 'too_many_streams' | 'tenant_streams_exhausted' | 'streams_exhausted';

/** A place that was taken, or why there is none. */
export type StreamPlace =
  | { readonly isTaken: true; readonly release: () => void }
  | { readonly isTaken: false; readonly code: StreamRefusal };

/** The places for open connections of one API process, of whatever transport. */
export interface StreamBudget {
  take(owner: StreamOwner): StreamPlace;
}

/** The limits of one API process. */
export interface StreamLimits {
  /** Most open streams and sockets. */
  readonly max: number;
  /** The part of all places that a tenant gets while no other wants any; above 0, 1: all. */
  readonly tenantShare: number;
  /** The part of its tenant's places that a caller gets while no other wants any; above 0, 1: all. */
  readonly callerShare: number;
  /** Most places of a caller of role `user`. */
  readonly maxOfUser: number;
}

/**
 * Counts the places. What one may hold shrinks with what is free (dynamic thresholds, Choudhury and Hahne 1998): at a
 * share of a half as many as are free, so a tenant that is alone gets a half, each of two a third, and none the last.
 */
export function createStreamBudget({ max, tenantShare, callerShare, maxOfUser }: StreamLimits): StreamBudget {
  const held = new Map<string, number>();
  let total = 0;

  const heldBy = (key: string): number => held.get(key) ?? 0;
  const count = (key: string, change: 1 | -1): void => {
    const left = heldBy(key) + change;
    if (left === 0) held.delete(key);
    else held.set(key, left);
  };

  function refusal({ role }: StreamOwner, [tenant, caller]: readonly [string, string]): StreamRefusal | undefined {
    if (total >= max) return 'streams_exhausted';
    if (role === 'user' && heldBy(caller) >= maxOfUser) return 'too_many_streams';
    const left = allowance(tenantShare, max - total) - heldBy(tenant);
    if (left <= 0) return 'tenant_streams_exhausted';
    return heldBy(caller) >= allowance(callerShare, left) ? 'too_many_streams' : undefined;
  }

  return {
    take: (owner) => {
      const keys = [JSON.stringify([owner.tenantId]), JSON.stringify([owner.tenantId, owner.subject])] as const;
      const code = refusal(owner, keys);
      if (code !== undefined) return { isTaken: false, code };
      let isHeld = true;
      total += 1;
      for (const key of keys) count(key, 1);
      return {
        isTaken: true,
        release: () => {
          if (!isHeld) return;
          isHeld = false;
          total -= 1;
          for (const key of keys) count(key, -1);
        },
      };
    },
  };
}

/** What one may hold while so many are free, so that alone it comes to its share of all. */
function allowance(share: number, free: number): number {
  return share >= 1 ? Infinity : (share / (1 - share)) * free;
}
