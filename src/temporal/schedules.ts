import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/setting.ts';
import { AUDIT_NAMES, AUDIT_WORKFLOWS, type AuditName } from '../workflows/audits/audits.messages.ts';
import { grpcCodeOf } from './errors.ts';

const GRPC_INVALID_ARGUMENT = 3;
const CRON_SETTINGS = {
  'profile-audit': 'PROFILE_CHECK_CRON',
  'sync-audit': 'SYNC_CHECK_CRON',
  'process-watchdog': 'PROCESS_WATCH_CRON',
  cleanup: 'CLEANUP_CRON',
} as const satisfies Readonly<Record<AuditName, keyof Config>>;

/**
 * Creates the audits' schedules, or brings existing ones in line with the settings; a `ConfigError` names one that
 * Temporal refuses.
 */
export async function ensureSchedules(client: Client, config: Config): Promise<void> {
  for (const name of AUDIT_NAMES) {
    const setting = CRON_SETTINGS[name];
    const options = {
      scheduleId: name,
      spec: { cronExpressions: [config[setting]], timezone: config.TIME_ZONE },
      action: {
        type: 'startWorkflow',
        workflowType: AUDIT_WORKFLOWS[name],
        workflowId: name,
        taskQueue: config.TASK_QUEUE,
      },
      // An audit finds everything that an earlier one would have found: none is made up for.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    } as const satisfies ScheduleOptions;
    await ensureSchedule(client, options).catch((error: unknown) => {
      // The client tells of a wrong expression by a TypeError where it creates a schedule, else by the code.
      if (!(error instanceof TypeError) && grpcCodeOf(error) !== GRPC_INVALID_ARGUMENT) throw error;
      const reason = String(error instanceof Error ? (error.cause ?? error) : error);
      throw new ConfigError(`${setting}: Temporal refuses the schedule ${JSON.stringify(config[setting])} (${reason})`);
    });
  }
}

async function ensureSchedule(
  client: Client,
  options: ScheduleOptions & { readonly scheduleId: string },
): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule
      .getHandle(options.scheduleId)
      .update((existing) => ({ ...existing, ...options, state: existing.state }));
  }
}
