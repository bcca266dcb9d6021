import type { SyncPhase, UserSync } from './user-sync.ts';
import { missingServices } from './user-sync.ts';

/** Status as the API, the rows and the search attribute spell it. */
export type SyncStatus = 'pending' | 'in_progress' | 'synced' | 'failed' | 'retry';

const STATUS_OF_PHASE: Readonly<Record<SyncPhase['kind'], SyncStatus>> = {
  unsent: 'pending',
  awaiting: 'in_progress',
  backoff: 'retry',
  exhausted: 'failed',
  synced: 'synced',
};

/** The status of a synchronisation in rows and answers. */
export function syncStatusOf({ phase }: UserSync): SyncStatus {
  return STATUS_OF_PHASE[phase.kind];
}

/** Whether the services' copies agree with the user, and which do not. */
export interface SyncReport {
  readonly consistent: boolean;
  readonly version: number;
  /** Never confirmed, and no failure reported of the current version. */
  readonly missing: string[];
  /** Confirmed an older version. */
  readonly stale: string[];
  /** Reported a failure of the current version, or did not answer in time. */
  readonly failed: string[];
}

/** Compares every service's copy with the user's version. */
export function reportSync(sync: UserSync): SyncReport {
  const { version, services } = sync;
  const unconfirmed = missingServices(sync);
  const failed = unconfirmed.filter((service) => services[service]!.failedVersion === version);
  const stale = unconfirmed.filter((service) => !failed.includes(service) && services[service]!.confirmedVersion > 0);
  const missing = unconfirmed.filter((service) => !failed.includes(service) && !stale.includes(service));
  return { consistent: unconfirmed.length === 0, version, missing, stale, failed };
}
