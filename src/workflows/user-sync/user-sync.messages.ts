import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { SyncReport, SyncStatus } from '../../domain/user-sync/statuses.ts';
import type { UserSync } from '../../domain/user-sync/user-sync.ts';
import type { RefusedCommand } from '../runtime/command-queue.ts';

/** Workflow type. */
export const USER_SYNC_WORKFLOW = 'userSync';

/** Workflow id of the synchronisation of a user's copies. */
export function userSyncWorkflowId(userId: string): string {
  return `user-sync:${userId}`;
}

/** Input of the `userSync` workflow. */
export interface UserSyncInput {
  readonly tenantId: string;
  readonly userId: string;
  /** Handed from one run to the next; without it the workflow begins with what the rows say. */
  readonly carried?: {
    readonly sync: UserSync;
    readonly revision: number;
    readonly refused: readonly RefusedCommand[];
  };
}

/** Payload of `userChanged`: the user's new version and, when they changed, all the services to synchronise. */
export interface UserChangedPayload {
  readonly version: number;
  readonly services?: readonly string[];
}

/** Payload of `userDeleted`: the deletion is a version, which the services were told of at `publishedAt` (ISO 8601). */
export interface UserDeletedPayload {
  readonly version: number;
  readonly publishedAt?: string;
}

/** Payload of `confirmed`; without a version it confirms the current one. */
export interface ConfirmedPayload {
  readonly service: string;
  readonly userVersion?: number;
}

/** Payload of `failed`; without a version it is about the current one. */
export interface FailedPayload {
  readonly service: string;
  readonly userVersion?: number;
  readonly error?: string;
}

/** Payload of `reconcile`: which service doubts its copy, and the version it holds; empty when an operator asks. */
export interface ReconcilePayload {
  readonly service?: string;
  readonly heldVersion?: number;
}

/** What the `state` query and the Updates answer. Times are ISO 8601. */
export interface UserSyncView {
  readonly syncStatus: SyncStatus;
  readonly version: number;
  readonly syncRetryCount: number;
  readonly lastSyncAttempt: string | null;
  readonly lastSyncError: string | null;
  readonly servicesToSync: readonly string[];
  readonly syncedServices: readonly string[];
  readonly failedServices: readonly string[];
  /** When time alone changes something next. */
  readonly nextDueAt: string | null;
  readonly revision: number;
  /** The latest commands that were not allowed, newest last. */
  readonly refused: readonly RefusedCommand[];
}

/** What a reconciliation found before it acted, and to which services the user was then sent again. */
export interface ReconciliationResult extends SyncReport {
  readonly userId: string;
  readonly republished: readonly string[];
}

// Facts and operators' orders: an illegal one is kept in `state` and changes nothing.
export const userChangedSignal = defineSignal<[UserChangedPayload]>('userChanged');
export const confirmedSignal = defineSignal<[ConfirmedPayload]>('confirmed');
export const failedSignal = defineSignal<[FailedPayload]>('failed');
export const forceResyncSignal = defineSignal('forceResync');
export const reconcileSignal = defineSignal<[ReconcilePayload]>('reconcile');
/** Writes the rows again and takes over the settings of now; sent by the audit. */
export const refreshSyncSignal = defineSignal('refresh');
/** The user is deleted, which its services are to confirm; without a payload: ends the workflow at once. */
export const userDeletedSyncSignal = defineSignal<[UserDeletedPayload?]>('userDeleted');

// The same as commands with an answer: an illegal one is rejected with the refusal's code as failure type.
export const confirmedUpdate = defineUpdate<UserSyncView | null, [ConfirmedPayload]>('confirmed');
export const failedUpdate = defineUpdate<UserSyncView | null, [FailedPayload]>('failed');
export const forceResyncUpdate = defineUpdate<UserSyncView | null>('forceResync');
export const reconcileUpdate = defineUpdate<ReconciliationResult | null, [ReconcilePayload]>('reconcile');

export const userSyncStateQuery = defineQuery<UserSyncView | null>('state');
