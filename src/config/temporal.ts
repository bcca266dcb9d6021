import { z } from 'zod';
import { flag, integer, optional, port, type Setting } from './setting.ts';

/** Settings of Temporal and of the worker. */
export const temporalSettings = {
  TEMPORAL_ADDRESS: ['', optional],
  TEMPORAL_PORT: ['7233', port],
  TEMPORAL_UI_PORT: ['8233', port],
  TASK_QUEUE: ['steadfast', z.string().min(1)],
  COMMAND_TIMEOUT_MS: ['5000', integer(100, 60_000)],
  WORKFLOW_TASK_TIMEOUT_MS: ['10000', integer(1000, 120_000)],
  WORKFLOW_CACHE_SIZE: ['1000', integer(100)],
  WORKER_SHUTDOWN_GRACE_MS: ['10000', integer(0)],
  WORKER_DEPLOYMENT_NAME: ['steadfast', z.string().min(1)],
  WORKER_BUILD_ID: ['', optional],
  WORKER_MAKE_CURRENT: ['true', flag],
  WORKFLOW_BUNDLE_DIR: ['', optional],
} as const satisfies Record<string, Setting>;
