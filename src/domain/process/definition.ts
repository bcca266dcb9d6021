import { jittered } from '../shared/spread.ts';
import { PROCESS_COMMANDS, REOPENED } from './command-names.ts';

/**
 * The business data of a process, as JSON: its initial data, and the results of its steps merged in their order. No
 * personal data.
 */
export type ProcessData = Readonly<Record<string, unknown>>;

/** Who does something for a process, chosen when it begins and kept in its data. */
export interface Provider {
  /** By which it is bound to what does the work. */
  readonly name: string;
  /** Calls to it leave the process; else it works in the transaction of the process's row. */
  readonly isRemote: boolean;
}

/**
 * Class of a failure. `transient`: it is retried. `refused`: the answer is no, nothing took effect, and there is no
 * retry. `unknown`: it is retried, and may have taken effect, as after a time-out.
 */
export type FailureClass = 'transient' | 'refused' | 'unknown';

/**
 * Attempts of one step: `maximum` of them, the second after `firstDelayMs`, each further pause `backoff` times the one
 * before, each up to a fifth shorter or longer.
 */
export interface Attempts {
  readonly maximum: number;
  readonly firstDelayMs: number;
  readonly backoff: number;
}

/** Three retries, after about 1, 2 and 4 s. */
export const DEFAULT_ATTEMPTS: Attempts = { maximum: 4, firstDelayMs: 1_000, backoff: 2 };

/** Longest time one attempt may take, in milliseconds, unless a step says otherwise. */
export const DEFAULT_TIME_LIMIT_MS = 10_000;

/** A step that does something. Its names are those of activities. */
export interface ActingStep {
  readonly execute: string;
  /** Undoes `execute`, even if that never took effect or arrives later; absent: there is nothing to undo. */
  readonly compensate?: string;
  /**
   * Does, in the transaction of the row, what `execute` would have left behind, when an operator says that it was done
   * by hand; absent: the step can't be skipped.
   */
  readonly skip?: string;
  /**
   * Calls another system: a regular activity, whose start is written before the call. Else it shares the transaction of
   * the row.
   */
  readonly isRemote?: true;
  /** Field of the data that holds the `Provider`: where that is remote, the step is; without one it is not. */
  readonly providedBy?: string;
  readonly attempts?: Attempts;
  readonly compensationAttempts?: Attempts;
  readonly timeLimitMs?: number;
  /** Classes of failures by their code; a time-out is `unknown`, everything else not named here `transient`. */
  readonly failures?: Readonly<Record<string, FailureClass>>;
  /** Codes of failures for which an operator is asked, where the process would else turn back. */
  readonly parksOn?: readonly string[];
  /**
   * The pivot: once it is completed, or may be, the process only goes forward. Its own undo runs only after a refusal
   * that followed failed attempts, one of which may still arrive.
   */
  readonly isPivot?: true;
}

/** A step that waits for an event from outside. */
export interface WaitingStep<Data extends ProcessData = ProcessData> {
  /**
   * Name of the signal. The payload becomes the step's result under this name, so that it can't overwrite other data of
   * the process.
   */
  readonly awaits: string;
  /**
   * Name of the function that finds in the rows whether it has happened (`src/db/facts.ts`): the signal may get lost,
   * the rows do not.
   */
  readonly foundBy: string;
  /** How long it waits, in milliseconds. */
  limitMs(data: Data): number;
  /** After `limitMs`: `fail` fails the step; `remind` reminds operators each day while it waits on. */
  readonly late: 'fail' | 'remind';
}

type AnyStep = ActingStep | WaitingStep;

/** Declaration of a process type. */
export interface ProcessDefinition<Data extends ProcessData = ProcessData> {
  /** As rows and API name it; the workflow type is `${type}Process`, a workflow's id `${type}:${processId}`. */
  readonly type: string;
  /** One line for the Web UI, without personal data. */
  readonly summary: string;
  /** In the order in which they run, unless `next` says otherwise. */
  readonly steps: Readonly<Record<string, ActingStep | WaitingStep<Data>>>;
  /**
   * The step that a process has in its own data under this name, where each has other ones; what else there is, `next`
   * says. Must depend on its arguments alone.
   */
  stepIn?(data: Data, step: string): ActingStep | undefined;
  /**
   * The step after `completed`, null: the first; null: none, undefined: the next in order. Must depend on its arguments
   * alone.
   */
  next?(completed: string | null, data: Data): string | null | undefined;
  /**
   * Runs local steps that follow each other in one transaction: none of them is visible without the others, and what
   * they lock stays locked until the last one. A step that fails there is retried in a transaction of its own.
   */
  readonly sharesTransaction?: true;
  /** What happens in it is told on the bus, too. */
  readonly isTold?: true;
  /**
   * No workflow carries it: services do, by messages, and its row is what was heard of them. Whoever takes the pivot is
   * asked to leave it when a cancellation comes meanwhile, and answers what became of it.
   */
  readonly isByMessages?: true;
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

/** The declaration of a step of a process with these data; null: there is none. */
export function findStep(definition: ProcessDefinition, step: string, data: ProcessData): AnyStep | null {
  const { steps } = definition;
  return (Object.hasOwn(steps, step) ? steps[step] : definition.stepIn?.(data, step)) ?? null;
}

/** The same; a state that names another one was made by another definition. */
export function stepOf(definition: ProcessDefinition, step: string, data: ProcessData): AnyStep {
  const found = findStep(definition, step, data);
  if (found === null) throw new Error(`process type ${definition.type} has no step ${step}`);
  return found;
}

/** The declaration of a step that acts, as a process with these data takes it: remote where its provider is. */
export function actingStepOf(definition: ProcessDefinition, step: string, data: ProcessData): ActingStep {
  const declared = stepOf(definition, step, data);
  if (isWaiting(declared)) throw new Error(`step ${step} waits; there is nothing to do`);
  const { providedBy } = declared;
  const isProvidedRemotely = providedBy !== undefined && providerIn(data, providedBy)?.isRemote === true;
  return isProvidedRemotely ? { ...declared, isRemote: true } : declared;
}

/** The provider in a field of a process's data; null: it began before there was a choice. */
export function providerIn(data: ProcessData, field: string): Provider | null {
  const found = data[field];
  return isProvider(found) ? found : null;
}

function isProvider(value: unknown): value is Provider {
  return typeof value === 'object' && value !== null && 'name' in value && 'isRemote' in value;
}

/** The step to take after `completed`; null: none. */
export function stepAfter(definition: ProcessDefinition, completed: string | null, data: ProcessData): string | null {
  const chosen = definition.next?.(completed, data);
  if (chosen !== undefined) return chosen;
  const names = Object.keys(definition.steps);
  return names[completed === null ? 0 : names.indexOf(completed) + 1] ?? null;
}

/**
 * The pause after `attempts` failed attempts of the process with this id, in milliseconds; null: that was the last
 * attempt.
 */
export function pauseAfter(
  { maximum, firstDelayMs, backoff }: Attempts,
  { id, attempts }: { id: string; attempts: number },
): number | null {
  return attempts >= maximum ? null : jittered(firstDelayMs * backoff ** (attempts - 1), { id, attempt: attempts });
}

const COMMANDS: ReadonlySet<string> = new Set([...PROCESS_COMMANDS, REOPENED]);

/**
 * Fails unless the declaration makes sense: a step at least, one pivot at most, and for each awaited event one step and
 * a name of its own.
 */
export function checkDefinition(definition: ProcessDefinition): void {
  const { type, steps } = definition;
  const declared = Object.values(steps);
  const events = declared.filter(isWaiting).map(({ awaits }) => awaits);
  if (declared.length === 0 && !('stepIn' in definition)) throw new Error(`process type ${type} has no step`);
  if (declared.filter((step) => !isWaiting(step) && step.isPivot).length > 1)
    throw new Error(`process type ${type} has more than one pivot`);
  const taken = events.find((event) => COMMANDS.has(event));
  if (taken !== undefined) throw new Error(`process type ${type} awaits "${taken}", which is a command`);
  if (new Set(events).size < events.length) throw new Error(`process type ${type} awaits one event in two steps`);
}
