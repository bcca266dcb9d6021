import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/setting.ts';
import { AUDIT_NAMES, AUDIT_WORKFLOWS, type AuditName } from '../workflows/audits/audits.messages.ts';
import { priorityOf } from '../workflows/runtime/priority.messages.ts';
import { grpcCodeOf } from './errors.ts';

const GRPC_INVALID_ARGUMENT = 3;
const CRON_SETTINGS = {
  'profile-audit': 'PROFILE_CHECK_CRON',
  'sync-audit': 'SYNC_CHECK_CRON',
  'process-watchdog': 'PROCESS_WATCH_CRON',
  cleanup: 'CLEANUP_CRON',
} as const satisfies Readonly<Record<AuditName, keyof Config>>;

/** What differs in a schedule from its settings. */
export type ScheduleState = 'as_set' | 'missing' | 'paused' | 'changed';

/**
 * Creates the audits' schedules, or brings existing ones in line with the settings; a `ConfigError` names one that
 * Temporal refuses.
 */
export async function ensureSchedules(client: Client, config: Config): Promise<void> {
  for (const name of AUDIT_NAMES) await ensureSchedule(client, config, name);
}

/** The same for one schedule. */
export async function ensureSchedule(client: Client, config: Config, name: AuditName): Promise<void> {
  const options = optionsOf(config, name);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw refusalOf(error, config, name);
    await client.schedule
      .getHandle(name)
      .update((existing) => ({ ...existing, ...options, state: existing.state }))
      .catch((failure: unknown) => {
        throw refusalOf(failure, config, name);
      });
  }
}

/** How a schedule stands beside its settings. */
export async function scheduleState(client: Client, config: Config, name: AuditName): Promise<ScheduleState> {
  const wanted = optionsOf(config, name);
  try {
    const { spec, action, policies, state } = await client.schedule.getHandle(name).describe();
    if (state.paused) return 'paused';
    const isSame =
      action.type === 'startWorkflow' &&
      action.workflowType === wanted.action.workflowType &&
      action.workflowId === wanted.action.workflowId &&
      action.taskQueue === wanted.action.taskQueue &&
      policies.overlap === wanted.policies.overlap &&
      spec.timezone === wanted.spec.timezone &&
      (spec.calendars ?? []).every(({ comment }) => comment === markOf(config, name));
    return isSame ? 'as_set' : 'changed';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return 'missing';
    throw error;
  }
}

function optionsOf(config: Config, name: AuditName) {
  // Not written in its place below: the client sends `priority`, and its type leaves it out.
  const action = {
    type: 'startWorkflow',
    workflowType: AUDIT_WORKFLOWS[name],
    workflowId: name,
    taskQueue: config.TASK_QUEUE,
    priority: priorityOf('background'),
  } as const;
  return {
    scheduleId: name,
    // Temporal keeps no expression but what it means, and the comment.
    spec: {
      cronExpressions: [`${config[CRON_SETTINGS[name]]} #${markOf(config, name)}`],
      timezone: config.TIME_ZONE,
    },
    action,
    // An audit finds everything that an earlier one would have found: none is made up for.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  } as const satisfies ScheduleOptions;
}

function markOf(config: Config, name: AuditName): string {
  return `${CRON_SETTINGS[name]}: ${config[CRON_SETTINGS[name]]}`;
}

/** The client tells of a wrong expression by a TypeError where it creates a schedule, else by the code. */
function refusalOf(error: unknown, config: Config, name: AuditName): unknown {
  if (!(error instanceof TypeError) && grpcCodeOf(error) !== GRPC_INVALID_ARGUMENT) return error;
  const setting = CRON_SETTINGS[name];
  const reason = String(error instanceof Error ? (error.cause ?? error) : error);
  return new ConfigError(`${setting}: Temporal refuses the schedule ${JSON.stringify(config[setting])} (${reason})`);
}
