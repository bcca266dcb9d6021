/** The audits by name: schedule id, workflow type and the path segment of `POST /maintenance/audits/:name/run`. */
export const AUDIT_NAMES = ['profile-audit', 'sync-audit', 'cleanup'] as const;
export type AuditName = (typeof AUDIT_NAMES)[number];

/** Workflow type of each audit. */
export const AUDIT_WORKFLOWS: Readonly<Record<AuditName, string>> = {
  'profile-audit': 'profileAudit', 'sync-audit': 'syncAudit', cleanup: 'cleanup',
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

/** How many rows a clean-up removed, by table. */
export type CleanupReport = Readonly<Record<string, number>>;
