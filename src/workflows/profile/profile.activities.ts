import type { Profile, ProfileEvent, ProfileSettings } from '../../domain/profile/profile.ts';

/** The user that an activity is about. */
export interface UserRef {
  readonly tenantId: string;
  readonly userId: string;
}

/** What `loadProfile` found: the state to begin with and the revision that this run now holds. */
export interface LoadedProfile {
  readonly settings: ProfileSettings;
  readonly profile: Profile;
  readonly revision: number;
  /** Notifications that wait for delivery. */
  readonly notificationIds: readonly string[];
}

/** What became of the write of a step. */
export interface SaveResult<Settings> {
  /** True: the row holds a later revision than the step, or one of another run; nothing was written. */
  readonly isSuperseded: boolean;
  /** True: the step leads to a row that can't be, and an alert says so; nothing was written. */
  readonly isUnstorable?: boolean;
  /** The settings of now, for the steps to come. */
  readonly settings: Settings;
}

/** One step of a profile: the state after `events`, written as a whole under a revision one above the last. */
export interface ProfileChange extends UserRef {
  readonly profile: Profile;
  readonly revision: number;
  readonly events: readonly ProfileEvent[];
}

/** Database work of the `profile` workflow: short, idempotent, run as local activities. */
export interface ProfileActivities {
  /** The settings of now, as they are for this user. */
  loadProfileSettings(user: UserRef): Promise<ProfileSettings>;
  /** Takes the row over for this run; null: there is no such user. */
  loadProfile(user: UserRef): Promise<LoadedProfile | null>;
  /** Answers the notifications that now have to be delivered; says so again when it is called again. */
  saveProfile(
    change: ProfileChange,
  ): Promise<SaveResult<ProfileSettings> & { readonly notificationIds: readonly string[] }>;
}

/** Hand-over of notifications: leaves the process, so a regular activity. */
export interface NotificationActivities {
  deliverNotifications(delivery: {
    readonly tenantId: string;
    readonly notificationIds: readonly string[];
  }): Promise<void>;
}
