import type { BulkInput } from '../workflows/bulk.messages.ts';

/** One page of a bulk operation. */
export interface BulkPage extends Pick<BulkInput, 'tenantId' | 'filter' | 'command'> {
  readonly afterUserId: string | null;
  readonly limit: number;
}

/** Work of the `bulkCommand` workflow. */
export interface BulkActivities {
  loadBulkSettings(): Promise<{ readonly ratePerSecond: number }>;
  countUsers(selection: Pick<BulkInput, 'tenantId' | 'filter'>): Promise<number>;
  /** Promises the command's signal to the next users, in one transaction; `lastUserId` null: there were none. */
  signalUsers(page: BulkPage): Promise<{ signalled: number; lastUserId: string | null }>;
}
