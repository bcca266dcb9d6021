import type pg from 'pg';
import type { ProcessData } from '../../domain/process/definition.ts';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';

/**
 * Does or undoes a step for a list of processes of one tenant, with an outcome for each in the order of the list, in
 * the transaction that also writes their rows. It may be called again for what it has done already, and does nothing
 * then.
 */
export type LocalStep = (client: pg.ClientBase, works: readonly StepWork[]) => Promise<readonly StepResult[]>;

/** The same by calls that leave the process. */
export interface RemoteStep<Needed = unknown, Answer = unknown> {
  /** What the calls need, in the transaction that writes that they begin. */
  read(client: pg.ClientBase, works: readonly StepWork[]): Promise<Needed>;
  /** Makes the calls, outside of any transaction, until `signal` says that the time is up. */
  call(works: readonly StepWork[], needed: Needed, signal: AbortSignal): Promise<Answer>;
  /** What became of them, in the transaction that also writes the rows. */
  record(client: pg.ClientBase, works: readonly StepWork[], answer: Answer): Promise<readonly StepResult[]>;
}

/** What does a step: in a transaction of ours or by calls that leave the process. */
export type StepFunction = { readonly local: LocalStep } | { readonly remote: RemoteStep };

/** The same where the data of a process say which, such as by its provider, or the name of its step. */
export type Step = StepFunction | ((data: ProcessData, step: string) => StepFunction);

/** Steps by the names of their activities. */
export type Steps = Readonly<Record<string, Step>>;

/** What does the step of this name for a process with these data. */
export function functionOf(step: Step, data: ProcessData, name: string): StepFunction {
  return typeof step === 'function' ? step(data, name) : step;
}
