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
   * One of several undos at once: each is written into the row as the others left it, under the revision that it has.
   */
  readonly isParallel?: true;
}

/** What became of a step, and when, in milliseconds since the epoch. */
export interface AppliedOutcome {
  readonly outcome: StepOutcome;
  readonly at: number;
}

/**
 * What became of a step, and of those after it that were taken in the same transaction; superseded: the row holds a
 * later revision, and nothing was done.
 */
export type StepAnswer =
  | { readonly isSuperseded: true }
  | { readonly isSuperseded: false; readonly settled: readonly AppliedOutcome[] };

/** Does or undoes one step, in one transaction with the row where it can, however often it is called. */
export type StepActivity = (call: StepCall) => Promise<StepAnswer>;

/** A process as its row has it, and the revision that this run now holds. */
export interface LoadedProcess {
  readonly state: ProcessState;
  readonly revision: number;
}

/** The state of a process after `events`, to be written under a revision one above the last. */
export interface ProcessChange extends ProcessRef, LoadedProcess {
  readonly events: readonly ProcessEvent[];
}

/** Something about a process that somebody must look at. */
export interface ProcessTrouble extends ProcessRef {
  readonly kind: 'process_parked' | 'process_overdue';
  readonly state: ProcessState;
}

/**
 * What became of a change: written; written by an earlier attempt, which has gone on from there; or the row holds
 * something else, and nothing was written.
 */
export type SaveAnswer = 'written' | 'overtaken' | 'superseded';

/** What every process does besides its steps; all of it short and idempotent, run as local activities. */
export interface ProcessActivities {
  /** Takes the row over for this run; null: there is no such process. */
  loadProcess(ref: ProcessRef): Promise<LoadedProcess | null>;
  /** Writes what an operator, an outside event or time has changed. */
  saveProcess(change: ProcessChange): Promise<SaveAnswer>;
  /** Tells operators, now and each time it is called. */
  alertProcess(trouble: ProcessTrouble): Promise<void>;
  /** Takes the alert back. */
  clearProcessAlert(ref: ProcessRef & Pick<ProcessTrouble, 'kind'>): Promise<void>;
}
