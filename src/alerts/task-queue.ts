import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { TEMPORAL_DEADLINE_MS } from './check.ts';

/** Numbers of the enum `TaskQueueType` in Temporal's API. */
const TYPES = { workflow: 1, activity: 2 } as const;

/** The two queues behind the name of a task queue. */
export type TaskType = keyof typeof TYPES;
const TASK_TYPES = ['workflow', 'activity'] as const satisfies readonly TaskType[];

/** A task queue as Temporal describes it. */
export interface TaskQueueState {
  readonly type: TaskType;
  /** When a poll last began or ended; undefined: nobody has polled for 5 minutes, or since the server started. */
  readonly lastAccess: number | undefined;
  /** Number of waiting tasks; approximate, eventually right. */
  readonly backlogCount: number;
  /** Age of the oldest task that waits; 0: none does. */
  readonly backlogAgeMs: number;
}

/** Both queues of `taskQueue`; `unknown` while Temporal does not answer, for which there is an alert of its own. */
export async function describeTaskQueues(
  client: Client,
  taskQueue: string,
): Promise<readonly TaskQueueState[] | 'unknown'> {
  try {
    return await Promise.all(TASK_TYPES.map((type) => describe(client, taskQueue, type)));
  } catch (error) {
    if (isGrpcServiceError(error)) return 'unknown';
    throw error;
  }
}

async function describe(client: Client, name: string, type: TaskType): Promise<TaskQueueState> {
  const { pollers, stats } = await client.withDeadline(Date.now() + TEMPORAL_DEADLINE_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: TYPES[type],
      reportStats: true,
    }),
  );
  const accesses = pollers.map(({ lastAccessTime }) => optionalTsToMs(lastAccessTime) ?? 0);
  const backlogCount = Number(stats?.approximateBacklogCount ?? 0);
  return {
    type,
    backlogCount,
    lastAccess: accesses.length === 0 ? undefined : Math.max(...accesses),
    backlogAgeMs: backlogCount === 0 ? 0 : (optionalTsToMs(stats?.approximateBacklogAge) ?? 0),
  };
}
