import { defineSearchAttributeKey } from '@temporalio/common';
import { isoTimeOrNull } from '../../domain/shared/time.ts';
import { reportSync, syncStatusOf } from '../../domain/user-sync/statuses.ts';
import {
  evolveUserSync,
  missingServices,
  nextSyncDueAt,
  type UserSync,
  type UserSyncCommand,
  type UserSyncEvent,
  type UserSyncSettings,
} from '../../domain/user-sync/user-sync.ts';
import type { DeciderRun, Outcome, Showing } from '../runtime/decider.ts';
import type { ReconciliationResult, UserSyncView } from './user-sync.messages.ts';

/** The types of the `userSync` workflow. */
export interface UserSyncKind {
  readonly state: UserSync;
  readonly command: UserSyncCommand;
  readonly event: UserSyncEvent;
  readonly settings: UserSyncSettings;
}

const syncStatus = defineSearchAttributeKey('SyncStatus', 'KEYWORD');

const TIMER_SUMMARIES: Readonly<Record<UserSync['phase']['kind'], string>> = {
  unsent: 'Publish the user',
  awaiting: 'Time for the services to confirm',
  backoff: 'Delay before the next retry',
  exhausted: 'Restart of the retry counter',
  synced: 'Nothing is due',
};

/** What operators see of a user's copies. */
export const userSyncShowing: Showing<UserSyncKind> = {
  when: 'after_each_step',
  searchAttributes: ({ state }) => [{ key: syncStatus, value: syncStatusOf(state) }],
  currentDetails({ state }) {
    const missing = missingServices(state);
    const next = nextOf(state);
    return [
      `**${syncStatusOf(state)}** at version ${state.version}`,
      `Not confirmed by: ${missing.length === 0 ? 'none' : missing.join(', ')}`,
      `Retries: ${state.retryCount}`,
      `Next: ${next === null ? 'waits for a change' : `${TIMER_SUMMARIES[state.phase.kind]}, ${next}`}`,
    ].join('  \n');
  },
  timerSummary: ({ state }) => TIMER_SUMMARIES[state.phase.kind],
};

/** What the `state` query and the Updates answer; null: the rows are not read yet. */
export function viewOf({ entity, queue }: DeciderRun<UserSyncKind>): UserSyncView | null {
  if (entity === null) return null;
  const { state, revision } = entity;
  const missing = missingServices(state);
  const servicesToSync = Object.keys(state.services);
  return {
    syncStatus: syncStatusOf(state),
    version: state.version,
    syncRetryCount: state.retryCount,
    lastSyncAttempt: isoTimeOrNull(state.lastAttemptAt),
    lastSyncError: state.lastError,
    servicesToSync,
    syncedServices: servicesToSync.filter((service) => !missing.includes(service)),
    failedServices: reportSync(state).failed,
    nextDueAt: nextOf(state),
    revision,
    refused: queue.refused,
  };
}

/** The report is of the state as it was found, with the doubt that was just raised; then what was done about it. */
export function reconciliationOf({ before, events }: Outcome<UserSyncKind>): Omit<ReconciliationResult, 'userId'> {
  const found = events.filter((event) => event.type === 'CopyDoubted').reduce(evolveUserSync, before);
  const republished = events.findLast((event) => event.type === 'Emitted')?.targets ?? [];
  return { ...reportSync(found), republished };
}

function nextOf(state: UserSync): string | null {
  return isoTimeOrNull(nextSyncDueAt(state, Date.now()));
}
