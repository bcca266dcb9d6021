import { assertNever } from '../shared/assert-never.ts';
import { isoTime } from '../shared/time.ts';
import type { Cause } from './state.ts';
import { isClosed, isParked, type ProcessStatus } from './statuses.ts';

/** Class of a process that has not moved for a while; `docs/processes.md` says what each means. */
export const PROCESS_CLASSES = [
  'closed',
  'moving',
  'waiting',
  'unheard',
  'retrying',
  'no_worker',
  'task_failing',
  'workflow_gone',
  'left_open',
  'stalled',
] as const;
export type ProcessClass = (typeof PROCESS_CLASSES)[number];

/** The part of a process's row that a diagnosis needs. Times are milliseconds since the epoch. */
export interface WatchedRow {
  readonly status: ProcessStatus;
  readonly currentStep: string | null;
  readonly dueAt: number | null;
  readonly updatedAt: number;
  /** Failed attempts of the step under way, the latest cause and when the next attempt is. */
  readonly attempts: number;
  readonly lastError: Cause | null;
  readonly retryAt: number | null;
}

/** A task of the execution; `takenAt` null: no worker has taken it. */
export interface PendingTask {
  readonly attempt: number;
  readonly scheduledAt: number;
  readonly takenAt: number | null;
}

/** An activity that the execution waits for; local ones do not show here. */
export interface PendingActivity extends PendingTask {
  readonly name: string;
  readonly lastFailure: string | null;
  readonly isPaused: boolean;
}

/** The execution that should carry the process, as Temporal describes it. */
export type WatchedExecution =
  | { readonly isOpen: false; readonly ended: string }
  | {
      readonly isOpen: true;
      readonly startedAt: number;
      readonly isPaused: boolean;
      readonly task: PendingTask | null;
      /** Message of the workflow task's latest failure. */
      readonly taskFailure: string | null;
      readonly activities: readonly PendingActivity[];
      /** Whether any worker asks the execution's task queue for work. */
      readonly isPolled: boolean;
    };

/** An observation: what row and execution of a process said at one time. */
export interface Observation {
  readonly now: number;
  readonly stuckAfterMs: number;
  readonly row: WatchedRow;
  readonly execution: WatchedExecution;
  /** Whether the rows say that the event has happened for which the process waits. */
  readonly hasHappened: boolean;
}

/** A diagnosis: the class, and a sentence that explains it to operators. */
export interface Diagnosis {
  readonly classed: ProcessClass;
  readonly detail: string;
}

/**
 * Attempts of a workflow task from which on it counts as failing. A worker that dies or is replaced makes one attempt
 * fail; more mean that the task itself does.
 */
const FAILING_ATTEMPTS = 3;

/** Diagnoses a process: whether it moves, and if not, why. What blocks the execution is checked before the row. */
export function classify(observation: Observation): Diagnosis {
  const { row, execution, now, stuckAfterMs } = observation;
  if (!execution.isOpen)
    return isClosed(row.status)
      ? found('closed', `It is ${row.status}.`)
      : found('workflow_gone', `The row is ${row.status}, but its workflow is ${execution.ended}.`);
  const blocked = blockedBy(observation, execution);
  if (blocked !== null) return blocked;
  const idleMs = now - Math.max(row.updatedAt, execution.startedAt);
  if (idleMs < stuckAfterMs) return found('moving', `It moved ${seconds(idleMs)} ago.`);
  if (isClosed(row.status)) return found('left_open', `The row is ${row.status}, but its workflow is still open.`);
  if (execution.isPaused) return found('waiting', 'Its workflow was paused in Temporal.');
  if (row.status === 'waiting' && observation.hasHappened)
    return found('unheard', `What it waits for at ${row.currentStep} has happened, and it has not heard of it.`);
  return (
    waitOf(row, observation) ??
    activityOf(execution.activities) ??
    retryOf(row, observation) ??
    found(
      'stalled',
      `Its workflow is open and nothing is left to be waited for, but it has not moved for ${seconds(idleMs)} at ` +
        `${row.currentStep}.`,
    )
  );
}

/** The diagnosis when the execution as a whole is blocked; null: it is not. */
export function blockedBy(
  { now, stuckAfterMs }: Pick<Observation, 'now' | 'stuckAfterMs'>,
  execution: Extract<WatchedExecution, { isOpen: true }>,
): Diagnosis | null {
  const { task, taskFailure, activities, isPolled } = execution;
  if (task !== null && task.attempt >= FAILING_ATTEMPTS) {
    return found(
      'task_failing',
      `Its workflow task has failed ${task.attempt - 1} times${taskFailure === null ? '' : `: ${taskFailure}`}`,
    );
  }
  const waited = [task, ...activities.filter(({ isPaused, attempt }) => !isPaused && attempt === 1)].flatMap(
    (pending) => (pending === null || pending.takenAt !== null ? [] : [now - pending.scheduledAt]),
  );
  const waitedMs = Math.max(0, ...waited);
  if (waited.length === 0 || (isPolled && waitedMs < stuckAfterMs)) return null;
  return found(
    'no_worker',
    `A task of it has waited ${seconds(waitedMs)} and ` +
      `${isPolled ? 'no worker takes it' : 'no worker asks its task queue'}.`,
  );
}

/**
 * The diagnosis of a process that waits by design, for an event or an operator, and is not overdue; null: it does not.
 */
export function waitOf(
  { status, currentStep, dueAt }: WatchedRow,
  { now, stuckAfterMs }: Pick<Observation, 'now' | 'stuckAfterMs'>,
): Diagnosis | null {
  const isOver = dueAt !== null && now - dueAt >= stuckAfterMs;
  if (isOver || (status !== 'waiting' && !isParked(status))) return null;
  const until = dueAt === null ? '' : ` until ${isoTime(dueAt)}`;
  return found(
    'waiting',
    status === 'waiting'
      ? `It waits for an event at ${currentStep}${until}.`
      : `It waits for an operator: ${status} at ${currentStep}.`,
  );
}

function activityOf(activities: readonly PendingActivity[]): Diagnosis | null {
  const [pending] = activities.toSorted((one, other) => other.attempt - one.attempt);
  if (pending === undefined) return null;
  const { name, attempt, lastFailure, isPaused } = pending;
  if (isPaused) return found('waiting', `Its activity ${name} was paused in Temporal.`);
  // An attempt under way ends by its own time limit, which Temporal enforces.
  if (attempt === 1) return found('moving', `Its activity ${name} is at work.`);
  return found('retrying', `Attempt ${attempt} of ${name}${lastFailure === null ? '' : `, after: ${lastFailure}`}`);
}

/** The diagnosis of a process whose step waits for its next attempt, as its row says; null: none does. */
function retryOf(
  { attempts, lastError, retryAt, currentStep }: WatchedRow,
  { now, stuckAfterMs }: Observation,
): Diagnosis | null {
  if (attempts === 0 || (retryAt !== null && now - retryAt >= stuckAfterMs)) return null;
  const cause = lastError === null ? '' : `, after ${lastError.code}: ${lastError.message}`;
  return found(
    'retrying',
    `Attempt ${attempts + 1} of ${currentStep}${retryAt === null ? ' is at work' : ` at ${isoTime(retryAt)}`}${cause}`,
  );
}

/** The action for a class. */
export function remedyOf(classed: ProcessClass): 'none' | 'restart' | 'replace' | 'tell' | 'alert' {
  switch (classed) {
    case 'closed':
    case 'moving':
    case 'waiting':
    case 'retrying':
      return 'none';
    case 'workflow_gone':
      return 'restart';
    case 'left_open':
      return 'replace';
    case 'unheard':
      return 'tell';
    case 'no_worker':
    case 'task_failing':
    case 'stalled':
      return 'alert';
    default:
      return assertNever(classed);
  }
}

/** A message from elsewhere may end with a full stop already. */
function found(classed: ProcessClass, sentence: string): Diagnosis {
  return { classed, detail: sentence.endsWith('.') ? sentence : `${sentence}.` };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
