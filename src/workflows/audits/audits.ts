import { continueAsNew, log, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { AuditActivities, AuditPage } from './audits.activities.ts';
import { DELIVERY_START_TO_CLOSE_MS } from '../../domain/notifications/delivery-policy.ts';
import { HEARTBEAT_TIMEOUT_MS } from '../../domain/shared/heartbeat.ts';
import type { AuditReport, CleanupReport } from './audits.messages.ts';

const { auditProfiles, auditUserSyncs, findOverdueNotifications, cleanUp } = proxyActivities<AuditActivities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '1m' },
});
// What fails again is tried by the next audit: one mail server in trouble must not hold this one up.
const { deliverNotifications } = proxyActivities<AuditActivities>({
  startToCloseTimeout: DELIVERY_START_TO_CLOSE_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: { maximumAttempts: 1 },
});

/** Handed from one run of an audit to the next. */
interface Carried {
  readonly after: string;
  readonly report: AuditReport;
}

/**
 * Starts again every profile whose workflow is gone, has wrong rows written again, and hands over what was left lying.
 */
export async function profileAudit(carried?: Carried): Promise<AuditReport> {
  const report = await auditAll(auditProfiles, (next) => continueAsNew<typeof profileAudit>(next), carried);
  for (const overdue of await findOverdueNotifications()) {
    await deliverNotifications(overdue).catch((error: unknown) =>
      log.warn('overdue notifications were not handed over', { error }),
    );
  }
  return report;
}

/** Does the same for the users' copies, and adds services that were added to the setting. */
export async function syncAudit(carried?: Carried): Promise<AuditReport> {
  return auditAll(auditUserSyncs, (next) => continueAsNew<typeof syncAudit>(next), carried);
}

/** Removes what is kept for a time only. */
export async function cleanup(): Promise<CleanupReport> {
  return cleanUp();
}

async function auditAll(
  auditPage: (page: { after: string | null }) => Promise<AuditPage>,
  goOn: (next: Carried) => Promise<never>,
  carried: Carried | undefined,
): Promise<AuditReport> {
  let report = carried?.report ?? { checked: 0, restarted: 0, rewritten: 0, failed: 0 };
  let after = carried?.after ?? null;
  do {
    const page = await auditPage({ after });
    report = {
      checked: report.checked + page.checked,
      restarted: report.restarted + page.restarted,
      rewritten: report.rewritten + page.rewritten,
      failed: report.failed + page.failed,
    };
    setCurrentDetails(
      `${report.checked} checked, ${report.restarted} started again, ${report.rewritten} to be written again, ` +
        `${report.failed} without an answer`,
    );
    after = page.next;
    if (after !== null && workflowInfo().continueAsNewSuggested) await goOn({ after, report });
  } while (after !== null);
  return report;
}
