import type { Check } from '../check.ts';
import { describeTaskQueues, type TaskQueueState, type TaskType } from '../task-queue.ts';

/** How long the poll of an idle worker stays open. A poller's last access is the beginning of its poll. */
const LONG_POLL_MS = 60_000;

/**
 * How long certainly no worker has polled, in milliseconds; undefined: unknown, since no poller is listed. On an idle
 * queue a healthy worker's last access may be as old as one long poll, so `LONG_POLL_MS` is subtracted. While tasks
 * wait polls end at once, so the time since the last access counts in full, up to the age of the oldest task.
 */
export function absenceMs({ lastAccess, backlogAgeMs }: TaskQueueState, now: number): number | undefined {
  if (lastAccess === undefined) return backlogAgeMs > 0 ? backlogAgeMs : undefined;
  const age = now - lastAccess;
  return Math.max(0, age - LONG_POLL_MS, Math.min(age, backlogAgeMs));
}

/**
 * No worker has polled for ALERT_NO_WORKER_MS. A queue that lists no poller at all (a new one, or after the server
 * restarted) counts from when this process saw it so first. With an idle queue a worker's death shows
 * up to `LONG_POLL_MS` later than with waiting tasks.
 */
export function createNoWorkerCheck(): Check {
  const missingSince = new Map<TaskType, number>();
  return {
    kind: 'no_worker',
    run: async ({ client, config }) => {
      const taskQueue = config.TASK_QUEUE;
      const states = await describeTaskQueues(client, taskQueue);
      if (states === 'unknown') return states;
      const now = Date.now();
      return states.flatMap((state) => {
        const { type, lastAccess, backlogCount } = state;
        if (lastAccess !== undefined) missingSince.delete(type);
        else if (!missingSince.has(type)) missingSince.set(type, now);
        const absentMs = Math.max(absenceMs(state, now) ?? 0, now - (missingSince.get(type) ?? now));
        if (absentMs < config.ALERT_NO_WORKER_MS) return [];
        return [
          {
            tenantId: config.DEFAULT_TENANT,
            key: `${taskQueue}:${type}`,
            severity: 'critical' as const,
            summary:
              `No worker has asked task queue ${taskQueue} for ${type} tasks for ` +
              `${Math.round(absentMs / 1000)} s.`,
            details: {
              taskQueue,
              type,
              absentMs,
              backlogCount,
              lastAccess: lastAccess === undefined ? null : new Date(lastAccess).toISOString(),
            },
          },
        ];
      });
    },
  };
}
