import type { FailureClass, ProcessData } from './definition.ts';
import type { ProcessStatus, StepStatus } from './statuses.ts';

/** Why a step or an undo failed; `code` is one of every process's, or of its type's own. */
export interface Cause<Code extends string = string> {
  readonly code: Code;
  /** One sentence; what a customer may read, for a refusal. */
  readonly message: string;
  readonly class: FailureClass;
}

/** What an operator decided in place of the process. */
export interface OperatorDecision {
  readonly command: string;
  readonly by: string;
  readonly reason: string | null;
  readonly at: number;
}

/** The undo of a step. */
export interface Compensation {
  readonly attempts: number;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly error: Cause | null;
}

/** What became of one step. Times are milliseconds since the epoch. */
export interface StepExecution {
  readonly step: string;
  readonly status: StepStatus;
  /** How often it was tried; of a step that waits, how often operators were reminded. */
  readonly attempts: number;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly result: ProcessData | null;
  readonly error: Cause | null;
  readonly compensation: Compensation | null;
  readonly decided: OperatorDecision | null;
}

/** Everything a process is: enough to go on from, wherever it is read. */
export interface ProcessState<Data extends ProcessData = ProcessData> {
  readonly status: ProcessStatus;
  /** The step that is taken, awaited, undone or stuck; null before the first and after the last. */
  readonly currentStep: string | null;
  readonly data: Data;
  /** The steps in the order in which they were taken. */
  readonly history: readonly StepExecution[];
  /** Why it turned back, if it did; a cancellation is one of class `refused`. */
  readonly cause: Cause | null;
  /** Who asked to cancel it. */
  readonly cancelled: OperatorDecision | null;
  /** Events that came before their step waited for them, by name. */
  readonly early: Readonly<Record<string, ProcessData>>;
  /** When time alone changes something; null: never. */
  readonly dueAt: number | null;
  /** How many events made this state. */
  readonly sequence: number;
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** The execution of a step, if it was ever registered. */
export function executionOf({ history }: Pick<ProcessState, 'history'>, step: string): StepExecution | undefined {
  return history.find((execution) => execution.step === step);
}
