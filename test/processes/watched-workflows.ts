import { processWorkflow } from '../../src/workflows/process/process.ts';
import { WATCHED_TYPES } from './watched-definitions.ts';

export { processWatchdog } from '../../src/workflows/audits/process-watchdog.ts';

export const orderProcess = processWorkflow(WATCHED_TYPES['order']!);
export const retryingProcess = processWorkflow(WATCHED_TYPES['retrying']!);
export const remoteProcess = processWorkflow(WATCHED_TYPES['remote']!);
export const parkedProcess = processWorkflow(WATCHED_TYPES['parked']!);

/** Fails each of its tasks, as a bug or a worker without its code does. */
export async function brokenProcess(): Promise<void> {
  throw new Error('there is a bug');
}
