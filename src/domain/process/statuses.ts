/** Statuses of a process. */
export const PROCESS_STATUSES = [
  'running',
  'waiting',
  'compensating',
  'compensation_failed',
  'step_failed',
  'completed',
  'compensated',
  'cancelled',
  'abandoned',
] as const;
export type ProcessStatus = (typeof PROCESS_STATUSES)[number];

/** Statuses of one step of a process. */
export const STEP_STATUSES = [
  'pending',
  'running',
  'completed',
  'failed',
  'compensating',
  'compensated',
  'compensation_failed',
  'skipped',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** Statuses in which a process waits for an operator: an undo failed, or a step past the pivot did. */
const PARKED_STATUSES = ['compensation_failed', 'step_failed'] as const satisfies readonly ProcessStatus[];

/** Statuses of a process that is over; only `abandoned` is left again, when it is reopened. */
export const CLOSED_STATUSES = [
  'completed',
  'compensated',
  'cancelled',
  'abandoned',
] as const satisfies readonly ProcessStatus[];

/** Whether a process waits for an operator. */
export function isParked(status: ProcessStatus): boolean {
  return (PARKED_STATUSES as readonly ProcessStatus[]).includes(status);
}

/** Whether a process is over. */
export function isClosed(status: ProcessStatus): boolean {
  return (CLOSED_STATUSES as readonly ProcessStatus[]).includes(status);
}
