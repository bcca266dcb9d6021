import type { Check } from '../check.ts';
import { describeTaskQueues } from '../task-queue.ts';

/** The oldest task has waited for ALERT_SCHEDULE_TO_START_MS: there are too few workers, or they are full. */
export const scheduleToStart: Check = {
  kind: 'schedule_to_start',
  run: async ({ client, config }) => {
    const { TASK_QUEUE: taskQueue, ALERT_SCHEDULE_TO_START_MS: thresholdMs, DEFAULT_TENANT: tenantId } = config;
    const states = await describeTaskQueues(client, taskQueue);
    if (states === 'unknown') return states;
    return states
      .filter(({ backlogCount, backlogAgeMs }) => backlogCount > 0 && backlogAgeMs >= thresholdMs)
      .map(({ type, backlogCount, backlogAgeMs }) => ({
        tenantId,
        key: `${taskQueue}:${type}`,
        severity: 'warning',
        summary:
          `The oldest of about ${backlogCount} ${type} task(s) on task queue ${taskQueue} has waited ` +
          `${Math.round(backlogAgeMs / 1000)} s for a worker.`,
        details: { taskQueue, type, backlogCount, backlogAgeMs, thresholdMs },
      }));
  },
};
