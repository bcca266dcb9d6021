import { defineQuery } from '@temporalio/workflow';
import type { ProcessCommandName } from '../../domain/process/command-names.ts';
import type { ProcessStatus } from '../../domain/process/statuses.ts';
import type { ProfileCompletionStatus, UserStatus } from '../../domain/profile/statuses.ts';
import type { SyncStatus } from '../../domain/user-sync/statuses.ts';

/** Workflow type. */
export const BULK_WORKFLOW = 'bulkCommand';

/** Workflow id of a bulk operation; the tenant in it keeps operators out of each other's. */
export function bulkWorkflowId({ tenantId, operationId }: { tenantId: string; operationId: string }): string {
  return `bulk:${tenantId}:${operationId}`;
}

/** Which users a bulk operation is about: those that match every given field. */
export interface UserFilter {
  readonly status?: UserStatus;
  readonly profileCompletionStatus?: ProfileCompletionStatus;
  readonly syncStatus?: SyncStatus;
  readonly userIds?: readonly string[];
}

/** Which processes something is about: those that match every given field. */
export interface ProcessFilter {
  readonly status?: ProcessStatus;
  readonly type?: string;
  /** The step that is taken, awaited, undone or stuck. */
  readonly step?: string;
  /** ISO 8601: it has had its status and step since before then. */
  readonly updatedBefore?: string;
  readonly processIds?: readonly string[];
}

interface BulkCommon {
  readonly tenantId: string;
  readonly requestedBy: string;
  /** Handed from one run to the next; `afterUserId` is where its last page ended. */
  readonly carried?: { readonly afterUserId: string; readonly progress: BulkProgress };
}

/** A command to users. */
export interface UserBulkInput extends BulkCommon {
  /** Absent: an operation that was begun before processes could be its target. */
  readonly target?: 'users';
  readonly filter: UserFilter;
  readonly command: { readonly name: 'reactivate'; readonly extensionDays: number } | { readonly name: 'forceResync' };
}

/**
 * A command to processes that are not over; `recover` is done by the worker, the others are the workflow's to decide.
 */
export interface ProcessBulkInput extends BulkCommon {
  readonly target: 'processes';
  readonly filter: ProcessFilter;
  readonly command:
    | { readonly name: ProcessCommandName; readonly by: string; readonly reason?: string; readonly step?: string }
    | { readonly name: 'recover' };
}

/** Input of the `bulkCommand` workflow. */
export type BulkInput = UserBulkInput | ProcessBulkInput;

/** How far a bulk operation is. */
export interface BulkProgress {
  readonly state: 'running' | 'completed';
  /** Users or processes that matched when the operation began. */
  readonly matched: number;
  /** Those that were signalled so far; who does not fit the command refuses it in their `state`. */
  readonly signalled: number;
}

export const bulkProgressQuery = defineQuery<BulkProgress>('progress');
