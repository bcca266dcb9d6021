import type { ProcessData } from '../../domain/process/definition.ts';
import type { StepOutcome } from '../../domain/process/decide.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import type { ProcessState } from '../../domain/process/state.ts';

/** The process that an activity is about. */
export interface ProcessRef {
  readonly tenantId: string;
  readonly processId: string;
  /** Type of the process, by which its definition is found. */
  readonly type: string;
}

/** A step to do or to undo, with all that is needed to write what becomes of it. */
export interface StepCall extends ProcessRef {
  readonly step: string;
  /** The process with this step under way. */
  readonly state: ProcessState;
  /** Revision under which the outcome is written: one above the row's. */
  readonly revision: number;
  /** Temporal's time of the call, in milliseconds since the epoch. */
  readonly now: number;
  /**
   * One of several undos at the same time: each is written into the row as it is then, under the row's own revision.
   */
  readonly isParallel?: true;
}

/** The outcome of a step, and when, in milliseconds since the epoch. */
export interface AppliedOutcome {
  readonly outcome: StepOutcome;
  readonly at: number;
}

/** What a process waits for and has happened, as the rows say though nobody told it. */
export interface FoundFact {
  readonly event: string;
  readonly payload: ProcessData;
}

/**
 * The outcome of a step, and those of the steps that ran after it in the same transaction. `isSuperseded`: the row
 * holds a later revision, and nothing was done.
 */
export type StepAnswer =
  | { readonly isSuperseded: true }
  | {
      readonly isSuperseded: false;
      readonly settled: readonly AppliedOutcome[];
      /** Where the process waits now: for this, and it has happened. */
      readonly fact?: FoundFact;
    };

/** Does or undoes one step, in one transaction with the row where it can, however often it is called. */
export type StepActivity = (call: StepCall) => Promise<StepAnswer>;

/** The state of a process in its row, and the revision to which this run raised the row. */
export interface LoadedProcess {
  readonly state: ProcessState;
  readonly revision: number;
  /** It waits for this, and it has happened. */
  readonly fact?: FoundFact;
}

/** The state of a process after `events`, to be written under a revision one above the last. */
export interface ProcessChange extends ProcessRef, Omit<LoadedProcess, 'fact'> {
  readonly events: readonly ProcessEvent[];
}

/** A process that an operator must look into. */
export interface ProcessTrouble extends ProcessRef {
  readonly kind: 'process_parked' | 'process_overdue';
  readonly state: ProcessState;
}

/**
 * Whether a change was written. `overtaken`: an earlier attempt wrote it, and the row has gone on from there;
 * `superseded`: the row holds a later revision, and nothing was written.
 */
export type SaveAnswer = 'written' | 'overtaken' | 'superseded';

/** The activities of every process besides its steps; short and idempotent, run as local activities. */
export interface ProcessActivities {
  /** Takes the row over for this run; null: there is no such process. */
  loadProcess(ref: ProcessRef): Promise<LoadedProcess | null>;
  /** Writes what an operator, an outside event or time has changed. */
  saveProcess(change: ProcessChange): Promise<SaveAnswer>;
  /** Raises the alert, and has it delivered each time it is called. */
  alertProcess(trouble: ProcessTrouble): Promise<void>;
  /** Resolves the alert. */
  clearProcessAlert(ref: ProcessRef & Pick<ProcessTrouble, 'kind'>): Promise<void>;
}
