import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import protos from '@temporalio/proto';
import { absenceMs } from '../../alerts/checks/no-worker.ts';
import { describeTaskQueues } from '../../alerts/task-queue.ts';
import type { Config } from '../../config/config.ts';
import type { PendingActivity, PendingTask, WatchedExecution } from '../../domain/process/watch.ts';

const { PENDING_ACTIVITY_STATE_SCHEDULED } = protos.temporal.api.enums.v1.PendingActivityState;

type Described = WorkflowExecutionDescription['raw'];

const DEADLINE_MS = 3_000;
/**
 * Events from the end of a history among which the failure of a workflow task is, since repeated ones are not written.
 */
const TAIL = 10;

/** What Temporal knows of the execution that should carry a process; throws when Temporal does not answer. */
export async function observeExecution(
  { client, config }: { client: Client; config: Config },
  workflowId: string,
): Promise<WatchedExecution> {
  const described = await within(client, () => client.workflow.getHandle(workflowId).describe()).catch(
    (error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    },
  );
  if (described === null) return { isOpen: false, ended: 'missing' };
  const {
    status: { name },
    runId,
    taskQueue,
    startTime,
    raw,
  } = described;
  if (name !== 'RUNNING' && name !== 'PAUSED') return { isOpen: false, ended: name.toLowerCase() };
  const task = taskOf(raw.pendingWorkflowTask);
  const activities = (raw.pendingActivities ?? []).map(activityOf);
  const isWaitedFor = [task, ...activities].some((pending) => pending !== null && pending.takenAt === null);
  return {
    isOpen: true,
    startedAt: startTime.getTime(),
    isPaused: name === 'PAUSED',
    task,
    activities,
    taskFailure: task === null || task.attempt === 1 ? null : await lastTaskFailure(client, { workflowId, runId }),
    isPolled: !isWaitedFor || (await isPolled(client, config, taskQueue)),
  };
}

/** When in doubt somebody asks: that nobody does is told of by an alert of its own, too. */
async function isPolled(client: Client, config: Config, taskQueue: string): Promise<boolean> {
  const states = await describeTaskQueues(client, taskQueue);
  if (states === 'unknown') return true;
  return states.every(
    (state) => state.lastAccess !== undefined && (absenceMs(state, Date.now()) ?? 0) < config.ALERT_NO_WORKER_MS,
  );
}

async function lastTaskFailure(
  client: Client,
  execution: { workflowId: string; runId: string },
): Promise<string | null> {
  const { history } = await within(client, () =>
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution,
      maximumPageSize: TAIL,
    }),
  );
  const failed = history?.events?.find(
    ({ workflowTaskFailedEventAttributes: failure }) => failure !== undefined && failure !== null,
  );
  return failed?.workflowTaskFailedEventAttributes?.failure?.message?.slice(0, 300) ?? null;
}

function taskOf(pending: Described['pendingWorkflowTask']): PendingTask | null {
  if (pending === undefined || pending === null) return null;
  return {
    attempt: pending.attempt ?? 1,
    scheduledAt: optionalTsToMs(pending.scheduledTime) ?? 0,
    takenAt: optionalTsToMs(pending.startedTime) ?? null,
  };
}

function activityOf({
  activityType,
  attempt,
  state,
  scheduledTime,
  lastStartedTime,
  lastFailure,
  paused,
}: NonNullable<Described['pendingActivities']>[number]): PendingActivity {
  const isWaiting = state === PENDING_ACTIVITY_STATE_SCHEDULED;
  return {
    name: activityType?.name ?? 'unknown',
    attempt: attempt ?? 1,
    scheduledAt: optionalTsToMs(scheduledTime) ?? 0,
    takenAt: isWaiting ? null : (optionalTsToMs(lastStartedTime) ?? 0),
    lastFailure: lastFailure?.message?.slice(0, 300) ?? null,
    isPaused: paused === true,
  };
}

function within<Result>(client: Client, call: () => Promise<Result>): Promise<Result> {
  return client.withDeadline(Date.now() + DEADLINE_MS, call);
}
