import { defineQuery } from '@temporalio/workflow';
import type { ProfileCompletionStatus, UserStatus } from '../domain/profile/statuses.ts';
import type { SyncStatus } from '../domain/user-sync/statuses.ts';

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

/** Input of the `bulkCommand` workflow. */
export interface BulkInput {
  readonly tenantId: string;
  readonly filter: UserFilter;
  readonly command:
    | { readonly name: 'reactivate'; readonly extensionDays: number }
    | { readonly name: 'forceResync' };
  readonly requestedBy: string;
  /** Handed from one run to the next. */
  readonly carried?: { readonly afterUserId: string; readonly progress: BulkProgress };
}

/** How far a bulk operation is. */
export interface BulkProgress {
  readonly state: 'running' | 'completed';
  /** Users that matched when the operation began. */
  readonly matched: number;
  /** Users that were signalled so far; who does not fit the command refuses it in their `state`. */
  readonly signalled: number;
}

export const bulkProgressQuery = defineQuery<BulkProgress>('progress');
