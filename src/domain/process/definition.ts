import { PROCESS_COMMANDS } from './command-names.ts';

/**
 * What a process knows about its business, as JSON: the results of its steps, merged in their order. No personal data.
 */
export type ProcessData = Readonly<Record<string, unknown>>;

/**
 * How a failure is classed: `transient` is tried again; `refused` is the answer no, and nothing took effect; `unknown`
 * is tried again too, but may have taken effect, as a time-out may.
 */
export type FailureClass = 'transient' | 'refused' | 'unknown';

/**
 * Attempts of one step: `maximum` of them, the second after `firstDelayMs`, each further pause `backoff` times the one
 * before.
 */
export interface Attempts {
  readonly maximum: number;
  readonly firstDelayMs: number;
  readonly backoff: number;
}

/** Three retries, after 1, 2 and 4 s. */
export const DEFAULT_ATTEMPTS: Attempts = { maximum: 4, firstDelayMs: 1_000, backoff: 2 };

/** Longest time one attempt may take, in milliseconds, unless a step says otherwise. */
export const DEFAULT_TIME_LIMIT_MS = 10_000;

/** A step that does something. Its names are those of activities. */
export interface ActingStep {
  readonly execute: string;
  /** Undoes `execute`, also one that never took effect or comes late; absent: there is nothing to undo. */
  readonly compensate?: string;
  /**
   * Calls leave the process: a regular activity, whose begin is written before it. Else one transaction with the row.
   */
  readonly isRemote?: true;
  readonly attempts?: Attempts;
  readonly compensationAttempts?: Attempts;
  readonly timeLimitMs?: number;
  /** Classes of failures by their code; a time-out is `unknown`, everything else not named here `transient`. */
  readonly failures?: Readonly<Record<string, FailureClass>>;
  /**
   * The point of no return: once it is done, or may be, the process only goes forward. It is undone only after it was
   * refused in the end, against an earlier attempt that may still arrive.
   */
  readonly isPivot?: true;
}

/** A step that waits for something to be told from outside. */
export interface WaitingStep<Data extends ProcessData = ProcessData> {
  /**
   * Name of the signal, under which its payload becomes the step's result: what comes from outside overwrites nothing
   * of the process's own.
   */
  readonly awaits: string;
  /** How long it waits, in milliseconds. */
  limitMs(data: Data): number;
  /** When the time is up: the step fails, or operators are reminded, again and again, and it waits on. */
  readonly late: 'fail' | 'remind';
}

/** One kind of process, declared. */
export interface ProcessDefinition<Data extends ProcessData = ProcessData> {
  /** As rows and API name it; the workflow type is `${type}Process`, a workflow's id `${type}:${processId}`. */
  readonly type: string;
  /** One line for the Web UI, without personal data. */
  readonly summary: string;
  /** In the order in which they are taken, unless `next` says otherwise. */
  readonly steps: Readonly<Record<string, ActingStep | WaitingStep<Data>>>;
  /** The step after `completed`; null: none, undefined: the next in order. Must depend on its arguments alone. */
  next?(completed: string, data: Data): string | null | undefined;
  /**
   * Takes steps that follow each other in one transaction, as far as they are done in ours: none of them is seen
   * without the others, and what they lock stays locked until the last. A step that fails there is left to a
   * transaction of its own.
   */
  readonly sharesTransaction?: true;
  /** Undo the last step first (the default), or all at once. */
  readonly compensation?: 'last_in_first_out' | 'parallel';
}

/** Whether a step waits for an event instead of acting. */
export function isWaiting(step: ActingStep | WaitingStep): step is WaitingStep {
  return 'awaits' in step;
}

/** Code of the failure of a step for which nothing came in time. */
export function overdueCode({ awaits }: Pick<WaitingStep, 'awaits'>): string {
  return `${awaits}_overdue`;
}

/** The declaration of a step; a state that names another one was made by another definition. */
export function stepOf({ type, steps }: ProcessDefinition, step: string): ActingStep | WaitingStep {
  const found = Object.hasOwn(steps, step) ? steps[step] : undefined;
  if (found === undefined) throw new Error(`process type ${type} has no step ${step}`);
  return found;
}

/** The step to take after `completed`; null: none. */
export function stepAfter(definition: ProcessDefinition, completed: string | null, data: ProcessData): string | null {
  const names = Object.keys(definition.steps);
  if (completed === null) return names[0] ?? null;
  const chosen = definition.next?.(completed, data);
  return chosen === undefined ? (names[names.indexOf(completed) + 1] ?? null) : chosen;
}

/** The pause before the attempt after the `attempts`-th, in milliseconds; null: that was the last one. */
export function pauseAfter({ maximum, firstDelayMs, backoff }: Attempts, attempts: number): number | null {
  return attempts >= maximum ? null : firstDelayMs * backoff ** (attempts - 1);
}

const COMMANDS: ReadonlySet<string> = new Set(PROCESS_COMMANDS);

/**
 * Fails unless the declaration makes sense: a step at least, one pivot at most, and for each awaited event one step and
 * a name of its own.
 */
export function checkDefinition({ type, steps }: ProcessDefinition): void {
  const declared = Object.values(steps);
  const events = declared.filter(isWaiting).map(({ awaits }) => awaits);
  if (declared.length === 0) throw new Error(`process type ${type} has no step`);
  if (declared.filter((step) => !isWaiting(step) && step.isPivot).length > 1)
    throw new Error(`process type ${type} has more than one pivot`);
  const taken = events.find((event) => COMMANDS.has(event));
  if (taken !== undefined) throw new Error(`process type ${type} awaits "${taken}", which is a command`);
  if (new Set(events).size < events.length) throw new Error(`process type ${type} awaits one event in two steps`);
}
