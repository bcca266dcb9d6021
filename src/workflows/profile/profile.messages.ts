import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CustomerKind, Profile } from '../../domain/profile/profile.ts';
import type { ProfileCompletionStatus, UserStatus } from '../../domain/profile/statuses.ts';
import type { RefusedCommand } from '../runtime/command-queue.ts';

/** Workflow type. */
export const PROFILE_WORKFLOW = 'profile';

/** Workflow id of a user's profile. */
export function profileWorkflowId(userId: string): string {
  return `profile:${userId}`;
}

/** Input of the `profile` workflow. */
export interface ProfileInput {
  readonly tenantId: string;
  readonly userId: string;
  /** Handed from one run to the next; without it the workflow begins with what the user's row says. */
  readonly carried?: {
    readonly profile: Profile;
    readonly revision: number;
    readonly refused: readonly RefusedCommand[];
  };
}

/** Payload of `complete`. */
export interface CompletePayload {
  readonly customerId: string;
  readonly customerKind: CustomerKind;
}

/** Payload of `reactivate`: days from now until the new deadline, above 0 and at most 365. */
export interface ReactivatePayload {
  readonly extensionDays: number;
}

/** What the `state` query and every Update answer. Times are ISO 8601. */
export interface ProfileView {
  readonly status: UserStatus;
  readonly profileCompletionStatus: ProfileCompletionStatus;
  readonly profileCompletionDeadline: string | null;
  readonly profileCompletionReminders: number;
  /** When time alone changes something next. */
  readonly nextDueAt: string | null;
  readonly revision: number;
  /** The latest commands that were not allowed, newest last. */
  readonly refused: readonly RefusedCommand[];
}

// Facts and operators' orders: an illegal one is kept in `state` and changes nothing.
export const markInProgressSignal = defineSignal('markInProgress');
export const completeSignal = defineSignal<[CompletePayload]>('complete');
export const reactivateSignal = defineSignal<[ReactivatePayload]>('reactivate');
export const suspendSignal = defineSignal('suspend');
export const unsuspendSignal = defineSignal('unsuspend');
/** Writes the row again and takes over the settings of now; sent by the audit. */
export const refreshSignal = defineSignal('refresh');
/** Ends the workflow: there is no user any more. */
export const userDeletedSignal = defineSignal('userDeleted');

// The same as commands with an answer: an illegal one is rejected with the refusal's code as failure type.
export const markInProgressUpdate = defineUpdate<ProfileView | null>('markInProgress');
export const completeUpdate = defineUpdate<ProfileView | null, [CompletePayload]>('complete');
export const reactivateUpdate = defineUpdate<ProfileView | null, [ReactivatePayload]>('reactivate');
export const suspendUpdate = defineUpdate<ProfileView | null>('suspend');
export const unsuspendUpdate = defineUpdate<ProfileView | null>('unsuspend');

export const profileStateQuery = defineQuery<ProfileView | null>('state');
