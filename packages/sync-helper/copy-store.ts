import type { CopyKey } from './copy.ts';
import type { DeletionStore } from './kept-deletions.ts';

/** What is recorded of one user's copy; no personal data. */
export interface HeldCopy {
  readonly userVersion: number;
  /** The events of this version that took effect, oldest first. */
  readonly eventIds: readonly string[];
  /** The user was deleted; events that come later are older. */
  readonly isDeleted: boolean;
}

/**
 * Work on one copy: gets what is held and the store's context, and returns a result and what is held from now on (left
 * out: as before).
 */
export type CopyWork<Context, Result> = (
  held: HeldCopy | undefined,
  context: Context,
) => Promise<{ readonly result: Result; readonly next?: HeldCopy }>;

/**
 * Where a service records which events took effect. `Context` is what effects are written with: a transaction's client,
 * say; effect and record are then there together or not at all.
 */
export interface CopyStore<Context> {
  /**
   * Runs `work` while no other works on the same copy, in any process, and saves what it returns. Rejects with the very
   * error that `work` rejected with, with nothing saved nor in effect; with an `EffectRefusedError` if what `work` did
   * can't be saved; with any other one if the store is away.
   */
  withCopy<Result>(key: CopyKey, work: CopyWork<Context, Result>): Promise<Result>;
  /** Where deletions that failed are kept. Without it they are left to the bus: tried again, then parked by it. */
  readonly deletions?: DeletionStore;
}
