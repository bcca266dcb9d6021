import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import type { Config } from '../config.ts';
import { AUDIT_NAMES, AUDIT_WORKFLOWS, type AuditName } from '../workflows/audits.messages.ts';

/** Creates the audits' schedules, or brings existing ones in line with the settings. */
export async function ensureSchedules(client: Client, config: Config): Promise<void> {
  const crons: Readonly<Record<AuditName, string>> = {
    'profile-audit': config.PROFILE_CHECK_CRON, 'sync-audit': config.SYNC_CHECK_CRON, cleanup: config.CLEANUP_CRON,
  };
  for (const name of AUDIT_NAMES) {
    const options = {
      scheduleId: name,
      spec: { cronExpressions: [crons[name]], timezone: config.TIME_ZONE },
      action: { type: 'startWorkflow', workflowType: AUDIT_WORKFLOWS[name], workflowId: name, taskQueue: config.TASK_QUEUE },
      // An audit finds everything that an earlier one would have found: none is made up for.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    } as const satisfies ScheduleOptions;
    try {
      await client.schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(name).update((existing) => ({ ...existing, ...options, state: existing.state }));
    }
  }
}
