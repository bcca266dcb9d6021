import type { ProcessWatchReport } from './audits.messages.ts';

/** Place in the list of processes that are not over. */
export interface WatchPlace {
  readonly after: { readonly startedAt: number; readonly processId: string } | null;
}

/** What one page of the watchdog's round found; `next` null: it was the last. */
export interface WatchPage extends ProcessWatchReport {
  readonly next: WatchPlace | null;
}

/** Work of the watchdog. */
export interface WatchdogActivities {
  /** Looks at a page of the processes that are open and have not moved, and does what helps. */
  watchProcesses(page: { readonly from: WatchPlace | null }): Promise<WatchPage>;
  /** Looks for executions that are open though their process is closed, and has them end as it did. */
  watchLeftOpen(): Promise<ProcessWatchReport>;
  /** Takes back the alerts of what moves again. */
  reviewStuckAlerts(): Promise<void>;
}
