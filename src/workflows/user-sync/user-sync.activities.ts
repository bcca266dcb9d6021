import type { UserSync, UserSyncSettings } from '../../domain/user-sync/user-sync.ts';
import type { SaveResult, UserRef } from '../profile/profile.activities.ts';

/** What `loadUserSync` found: the state to begin with and the revision that this run now holds. */
export interface LoadedUserSync {
  readonly settings: UserSyncSettings;
  readonly sync: UserSync;
  readonly revision: number;
}

/** One step of a synchronisation: the state, written as a whole under a revision one above the last. */
export interface UserSyncChange extends UserRef {
  readonly sync: UserSync;
  readonly revision: number;
  /** Services to which the user is published in the same transaction; empty: to none. */
  readonly publishTo: readonly string[];
  /** Whether the user was never published before. */
  readonly isFirst: boolean;
}

/** Database work of the `userSync` workflow: short, idempotent, run as local activities. */
export interface UserSyncActivities {
  loadUserSyncSettings(user: UserRef): Promise<UserSyncSettings>;
  /** Takes the rows over for this run; null: there is no such user. */
  loadUserSync(user: UserRef): Promise<LoadedUserSync | null>;
  /** Answers the user's version in the row, which is the one that was published, and whether the user is deleted. */
  saveUserSync(
    change: UserSyncChange,
  ): Promise<SaveResult<UserSyncSettings> & { readonly version: number; readonly isDeleted?: boolean }>;
}
