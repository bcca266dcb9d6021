import type { LocalActivityOptions } from '@temporalio/workflow';

/**
 * Short database writes: tried until they succeed. Beyond half a second of retrying the wait is a timer of the server,
 * so that the workflow task ends and signals are taken meanwhile.
 */
export const DATABASE_WRITE: LocalActivityOptions = {
  startToCloseTimeout: '30s',
  localRetryThreshold: '500ms',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
};
