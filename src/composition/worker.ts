import { Worker, type NativeConnection, type WorkerDeploymentOptions, type WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/config.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { traceActivity, traceSinks } from '../temporal/tracing.ts';

/** What a worker is made of. */
export interface WorkerParts {
  readonly config: Config;
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Where the bundle of the workflows is. */
  readonly codePath: string;
  readonly activities: object;
  /** Without it the worker serves whatever is on its task queue. */
  readonly deployment?: WorkerDeploymentOptions | undefined;
  readonly tracing?: Tracing | undefined;
  readonly options?: Partial<WorkerOptions>;
}

/** Makes a worker as the product runs it. */
export function createWorker({
  config,
  connection,
  namespace,
  codePath,
  activities,
  deployment,
  tracing,
  options,
}: WorkerParts): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: config.TASK_QUEUE,
    workflowBundle: { codePath },
    activities,
    ...(tracing === undefined ? {} : { sinks: traceSinks(tracing), interceptors: { activity: [traceActivity] } }),
    ...(deployment === undefined ? {} : { workerDeploymentOptions: deployment }),
    shutdownGraceTime: config.WORKER_SHUTDOWN_GRACE_MS,
    maxCachedWorkflows: config.WORKFLOW_CACHE_SIZE,
    // Each writes its step through the pool: more in hand would wait there, and time out when all come at once.
    maxConcurrentWorkflowTaskExecutions: Math.min(2 * config.DATABASE_POOL_SIZE, config.WORKFLOW_CACHE_SIZE),
    maxConcurrentLocalActivityExecutions: 200,
    maxConcurrentActivityTaskExecutions: 200,
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
    ...options,
  });
}
