import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { Decision, Refusal } from '../../domain/shared/decision.ts';
import { CommandQueue, type RefusedCommand } from './command-queue.ts';

/** The types of one kind of workflow. */
export interface Kind {
  readonly state: unknown;
  readonly command: { readonly type: string };
  readonly event: unknown;
  /** What decisions depend on besides state, command and time, such as delays. */
  readonly settings: unknown;
}

/** The pure rule. Times are milliseconds since the epoch. */
export interface Decider<K extends Kind> {
  decide(
    state: K['state'],
    command: K['command'] | { readonly type: 'passTime' },
    by: { readonly now: number; readonly settings: K['settings'] },
  ): Decision<K['event']>;
  evolve(state: K['state'], event: K['event']): K['state'];
  /** Whether a command is refused that already had its effect; absent: none is. */
  isOneShot?(command: K['command']): boolean;
}

/** A position: the state, the revision of the row that holds it, and the current settings. */
export interface Entity<K extends Kind> {
  readonly state: K['state'];
  readonly revision: number;
  readonly settings: K['settings'];
}

/** A change of the state that was written: the events and what they led from and to. */
export interface Change<K extends Kind> {
  readonly state: K['state'];
  readonly revision: number;
  readonly events: readonly K['event'][];
}

/** What the senders of accepted commands learn: the state before their command and everything that then happened. */
export interface Outcome<K extends Kind> {
  readonly before: K['state'];
  readonly events: readonly K['event'][];
}

/** One run of a workflow, as its message handlers see it. */
export interface DeciderRun<K extends Kind> {
  readonly decider: Decider<K>;
  readonly queue: CommandQueue<K['command'], Outcome<K>>;
  /** Null until its row is read. */
  entity: Entity<K> | null;
  /** The search attributes as set last, so that they are set when they change only. */
  shown?: string;
}

/** What became of the write of a step. */
export type SaveAnswer = 'written' | 'superseded' | 'overtaken' | 'unstorable';

/** Writing: the row that a workflow owns. */
export interface Rows<K extends Kind> {
  /** Takes the row over for this run (raises its revision) and reads it; null: there is no row any more. */
  load(): Promise<Entity<K> | null>;
  /**
   * Writes the state and everything that goes with the events, in one transaction; `before` is the state as written
   * last. Answers `written`; `superseded` when the row holds a later revision, and nothing was written; `overtaken`
   * when an earlier attempt wrote this and the row has gone on from there; `unstorable` when it can never be written.
   */
  save(
    change: Change<K> & { readonly before: K['state'] },
  ): Promise<{ readonly answer: SaveAnswer; readonly settings: K['settings'] }>;
}

/** What to do when nothing is left to decide. */
export type Move<K extends Kind> =
  /** Does something and answers what it has written; null: the outcome is to be read from the row. */
  | { readonly type: 'act'; readonly act: () => Promise<Change<K> | null> }
  /** Waits for a command, or until this instant, in milliseconds since the epoch. */
  | { readonly type: 'rest'; readonly until: number | null }
  | { readonly type: 'end' };

/** What a run does at its begin, beside its steps and at its end. */
export interface Lifecycle<K extends Kind> {
  /** Where the run begins: with what the run before handed on, else with the row; null: that is gone. */
  begin(): Promise<Entity<K> | null>;
  next(entity: Entity<K>): Move<K>;
  /** What goes with a change, or a row taken over, besides the row itself. */
  afterChange?(entity: Entity<K>, change: Outcome<K>): Promise<void>;
  /** What `workflow cancel` does; the loop itself goes on. */
  cancel(): void;
  /** Answers who still asks when it is over; null: it was told to end, or its row is gone. */
  refusalAtEnd(ended: Entity<K> | null): Refusal;
  /** Whether nothing runs in the background, so that it may continue as new; absent: nothing ever does. */
  isQuiet?(): boolean;
  continueAsNew(entity: Entity<K>): Promise<never>;
}

/** What operators see in the Web UI and list by. */
export interface Showing<K extends Kind> {
  /** Whether operators are shown each step, or only the state in which the workflow waits. */
  readonly when: 'after_each_step' | 'at_rest';
  searchAttributes(entity: Entity<K>): SearchAttributeUpdatePair[];
  currentDetails(entity: Entity<K>): string;
  timerSummary(entity: Entity<K>): string;
}

/** What a workflow brings besides its rule. */
export interface Surroundings<K extends Kind> {
  readonly rows: Rows<K>;
  readonly lifecycle: Lifecycle<K>;
  readonly showing: Showing<K>;
}

/** A run that has not read its row yet; `refused` is what the run before handed on. */
export function openRun<K extends Kind>(
  decider: Decider<K>,
  refused: readonly RefusedCommand[] | undefined,
): DeciderRun<K> {
  return { decider, queue: new CommandQueue<K['command'], Outcome<K>>(refused), entity: null };
}
