import type { FailureClass, ProcessData } from './definition.ts';
import type { ProcessStatus, StepStatus } from './statuses.ts';

/** Why a step or an undo failed; `code` is one of every process's, or of its type's own. */
export interface Cause<Code extends string = string> {
  readonly code: Code;
  /** One sentence; for a refusal, one that a customer may read. */
  readonly message: string;
  readonly class: FailureClass;
}

/** A decision of an operator in place of the process. */
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

/** One step as it was executed. Times are milliseconds since the epoch. */
export interface StepExecution {
  readonly step: string;
  readonly status: StepStatus;
  /** Number of attempts; of a step that waits, number of reminders to operators. */
  readonly attempts: number;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly result: ProcessData | null;
  readonly error: Cause | null;
  readonly compensation: Compensation | null;
  readonly decided: OperatorDecision | null;
}

/** The whole state of a process: a run can go on from it, whether read from the row or passed as input. */
export interface ProcessState<Data extends ProcessData = ProcessData> {
  readonly status: ProcessStatus;
  /** The step that runs, waits, is undone or is parked; null before the first and after the last. */
  readonly currentStep: string | null;
  readonly data: Data;
  /** The steps in the order in which they were registered. */
  readonly history: readonly StepExecution[];
  /** Why it is being undone, if it is; a cancellation is a cause of class `refused`. */
  readonly cause: Cause | null;
  /** Who asked to cancel it. */
  readonly cancelled: OperatorDecision | null;
  /** Events that came before their step waited for them, by name; `early` in the rows. */
  readonly early: Readonly<Record<string, ProcessData>>;
  /** When time alone changes something; null: never. */
  readonly dueAt: number | null;
  /** Number of the last event in this state. */
  readonly sequence: number;
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** The execution of a step, if it was ever registered. */
export function executionOf({ history }: Pick<ProcessState, 'history'>, step: string): StepExecution | undefined {
  return history.find((execution) => execution.step === step);
}
