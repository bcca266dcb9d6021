import { PROCESS_CLASSES, type ProcessClass } from '../../domain/process/watch.ts';

/** The audits by name: schedule id, workflow type and the path segment of `POST /maintenance/audits/:name/run`. */
export const AUDIT_NAMES = ['profile-audit', 'sync-audit', 'process-watchdog', 'cleanup'] as const;
export type AuditName = (typeof AUDIT_NAMES)[number];

/** Workflow type of each audit. */
export const AUDIT_WORKFLOWS: Readonly<Record<AuditName, string>> = {
  'profile-audit': 'profileAudit',
  'sync-audit': 'syncAudit',
  'process-watchdog': 'processWatchdog',
  cleanup: 'cleanup',
};

/** What an audit of profiles or copies found and did. */
export interface AuditReport {
  readonly checked: number;
  /** Users whose workflow was gone and was started again. */
  readonly restarted: number;
  /** Users whose row disagreed with their workflow, which was told to write it again. */
  readonly rewritten: number;
  /** Users whose workflow did not answer; the log has their ids, and the next audit looks again. */
  readonly failed: number;
}

/** What the watchdog of processes found and did. */
export interface ProcessWatchReport {
  /** Processes that were looked at: open ones that have not moved, and executions left open by closed ones. */
  readonly checked: number;
  /** Processes whose workflow was started again. */
  readonly restarted: number;
  /** Processes that an alert tells of. */
  readonly alerted: number;
  /** Processes of which Temporal or PostgreSQL did not tell; the log has their ids, and the next round looks again. */
  readonly failed: number;
  /** How many were found of each class. */
  readonly classes: Readonly<Partial<Record<ProcessClass, number>>>;
}

/** The report of having looked at nothing. */
export const NOTHING_WATCHED: ProcessWatchReport = { checked: 0, restarted: 0, alerted: 0, failed: 0, classes: {} };

/** The report of having looked at both. */
export function addReports(one: ProcessWatchReport, other: ProcessWatchReport): ProcessWatchReport {
  const classes = { ...one.classes };
  for (const classed of PROCESS_CLASSES) {
    const count = (one.classes[classed] ?? 0) + (other.classes[classed] ?? 0);
    if (count > 0) classes[classed] = count;
  }
  return {
    checked: one.checked + other.checked,
    restarted: one.restarted + other.restarted,
    alerted: one.alerted + other.alerted,
    failed: one.failed + other.failed,
    classes,
  };
}

/** How many rows a clean-up removed, or took texts out of, by table; `executions` are Temporal's. */
export type CleanupReport = Readonly<Record<string, number>>;
