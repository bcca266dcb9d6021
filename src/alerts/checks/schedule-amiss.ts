import { isGrpcServiceError } from '@temporalio/client';
import type { Finding } from '../../domain/alerts/finding.ts';
import { ensureSchedule, scheduleState } from '../../temporal/schedules.ts';
import { AUDIT_NAMES, type AuditName } from '../../workflows/audits/audits.messages.ts';
import { TEMPORAL_DEADLINE_MS, type Check } from '../check.ts';

type CheckDeps = Parameters<Check['run']>[0];

const LOOK_EVERY_MS = 60_000;
const SUMMARIES = {
  missing: 'was gone, and has been created again',
  paused: 'is paused, so what it starts does not run',
  changed: 'is not as its settings say',
} as const;

/**
 * A schedule is paused or was changed; one that somebody deleted is created again. What a first look does not find is
 * created without an alert: no worker has started yet. `everyMs`: how often schedules are looked at.
 */
export function createScheduleCheck(everyMs: number = LOOK_EVERY_MS): Check {
  let lookedAtMs: number | undefined;
  return {
    kind: 'schedule_amiss',
    run: async (deps) => {
      const nowMs = performance.now();
      const isFirst = lookedAtMs === undefined;
      if (lookedAtMs !== undefined && nowMs - lookedAtMs < everyMs) return 'unknown';
      lookedAtMs = nowMs;
      try {
        return await deps.client.withDeadline(Date.now() + TEMPORAL_DEADLINE_MS, () => look(deps, isFirst));
      } catch (error) {
        if (isGrpcServiceError(error) || (error instanceof Error && isGrpcServiceError(error.cause))) return 'unknown';
        throw error;
      }
    },
  };
}

async function look(deps: CheckDeps, isFirst: boolean): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const name of AUDIT_NAMES) {
    const finding = await lookAt(deps, name);
    if (finding !== null && !(isFirst && finding.details['state'] === 'missing')) found.push(finding);
  }
  return found;
}

async function lookAt({ client, config }: CheckDeps, name: AuditName): Promise<Finding | null> {
  const state = await scheduleState(client, config, name);
  if (state === 'as_set') return null;
  if (state === 'missing') await ensureSchedule(client, config, name);
  return {
    tenantId: config.DEFAULT_TENANT,
    key: name,
    severity: 'warning',
    summary: `The schedule ${name} ${SUMMARIES[state]}.`,
    details: { schedule: name, state },
  };
}
