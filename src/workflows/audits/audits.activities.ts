import type { AuditReport, CleanupReport } from './audits.messages.ts';
import type { NotificationActivities } from '../profile/profile.activities.ts';
import type { WatchdogActivities } from './process-watchdog.activities.ts';

/** One page of an audit, in the order of the users' ids; `next` null: it was the last. */
export interface AuditPage extends AuditReport {
  readonly next: string | null;
}

/** Work of the audits: each page compares rows with workflows and repairs what disagrees. */
export interface AuditActivities extends NotificationActivities, WatchdogActivities {
  auditProfiles(page: { readonly after: string | null }): Promise<AuditPage>;
  auditUserSyncs(page: { readonly after: string | null }): Promise<AuditPage>;
  /** Notifications that should have been handed over long ago, by tenant. */
  findOverdueNotifications(): Promise<{ readonly tenantId: string; readonly notificationIds: readonly string[] }[]>;
  cleanUp(): Promise<CleanupReport>;
}
