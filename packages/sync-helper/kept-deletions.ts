import type { CopyKey } from './copy.ts';
import type { DeletedUser } from './user-events.ts';

/** A deletion that `onUserDeleted` could not do yet. Nothing of it is personal. */
export interface KeptDeletion {
  readonly user: DeletedUser;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried next. */
  readonly dueAt: Date;
}

/** Where a store keeps deletions until they are done: they outlive the process, and no other event waits for them. */
export interface DeletionStore {
  /** Keeps the deletion, or counts one more attempt of the user's that is kept. */
  keep(user: DeletedUser): Promise<void>;
  /** Up to so many that are due, for this caller alone during the next minute. */
  claim(limit: number): Promise<readonly DeletedUser[]>;
  /** Forgets the user's deletion, which was done. */
  done(key: CopyKey): Promise<void>;
  /** All that are kept, the oldest first. */
  list(): Promise<readonly KeptDeletion[]>;
  /** Makes all that are kept due now. */
  replay(): Promise<void>;
}

/** How long a claimed deletion is left to who claimed it. */
export const CLAIM_MS = 60_000;
/** The pause after the first attempt; each further one is twice as long. */
export const FIRST_PAUSE_MS = 1_000;
/** No pause is longer. */
export const LONGEST_PAUSE_MS = 3_600_000;

/** The pause after so many attempts. */
export function pauseAfterMs(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 30), LONGEST_PAUSE_MS);
}
