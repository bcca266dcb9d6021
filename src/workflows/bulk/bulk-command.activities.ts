import type { ProcessBulkInput, UserBulkInput } from './bulk-command.messages.ts';

interface Page {
  readonly limit: number;
}

/** One page of a bulk operation on users; it begins where the page before said that it ended. */
export interface UserBulkPage extends Page, Pick<UserBulkInput, 'tenantId' | 'filter' | 'command'> {
  readonly afterUserId: string | null;
}

/** One page of a bulk operation on processes. */
export interface ProcessBulkPage extends Page, Pick<ProcessBulkInput, 'tenantId' | 'filter' | 'command'> {
  readonly afterProcessId: string | null;
}

/** Work of the `bulkCommand` workflow. */
export interface BulkActivities {
  loadBulkSettings(): Promise<{ readonly ratePerSecond: number }>;
  countUsers(selection: Pick<UserBulkInput, 'tenantId' | 'filter'>): Promise<number>;
  /**
   * Promises the command's signal to the next users, in one transaction; `lastUserId` says where they end, null if
   * there were none.
   */
  signalUsers(page: UserBulkPage): Promise<{ signalled: number; lastUserId: string | null }>;
  countProcesses(selection: Pick<ProcessBulkInput, 'tenantId' | 'filter'>): Promise<number>;
  /** The same for processes that are not over; `recover` looks at each of them instead. */
  signalProcesses(page: ProcessBulkPage): Promise<{ signalled: number; lastProcessId: string | null }>;
}
