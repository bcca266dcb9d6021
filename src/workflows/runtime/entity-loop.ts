import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Decision, Parsed, Refusal } from '../../domain/shared/decision.ts';
import { refusalFailure, type CommandQueue, type Entry, type Outcome } from './command-queue.ts';
import type { UserRefusal } from '../../domain/users/codes.ts';

/** Commands that every entity workflow takes besides those of its domain. */
export type EntityCommand = { readonly type: 'refresh' } | { readonly type: 'deleteUser' };

/** What an entity workflow holds: its state, and the revision of the row that says so. */
export interface Entity<State> {
  state: State;
  revision: number;
}

/** One kind of entity: its pure rules and what surrounds them. Times are milliseconds since the epoch. */
export interface EntityRules<State, Command extends { readonly type: string }, Event> {
  readonly queue: CommandQueue<Command | EntityCommand, Outcome<State, Event>>;
  decide(state: State, command: Command | { readonly type: 'passTime' }, now: number): Decision<Event>;
  evolve(state: State, event: Event): State;
  /** When time alone changes something next; null: never. */
  nextDueAt(state: State, now: number): number | null;
  /** Whether a command is refused that already had its effect. */
  isOneShot(command: Command): boolean;
  /** One line for the timer in the Web UI. */
  timerSummary(state: State): string;
  /**
   * Writes the state and everything that goes with the events, in one transaction; `before` is the state as written
   * last. Superseded: the row holds a later revision, and nothing was written.
   */
  save(step: {
    before: State;
    state: State;
    revision: number;
    events: readonly Event[];
  }): Promise<{ readonly isSuperseded: boolean }>;
  /** Takes the row over and reads it; null: there is no user any more. */
  load(): Promise<Entity<State> | null>;
  /** Shows the state to operators: search attributes and current details. */
  show(state: State): void;
  /** Whether nothing runs in the background. */
  isQuiet(): boolean;
  continueAsNew(entity: Entity<State>): Promise<never>;
}

const DELETED: Refusal<UserRefusal> = { code: 'user_deleted', detail: 'The user was deleted.' };

/**
 * Runs an entity until its user is deleted: decides on commands and due times, one step at a time, each step written
 * before the next.
 */
export async function runEntity<State, Command extends { readonly type: string }, Event>(
  entity: Entity<State>,
  rules: EntityRules<State, Command, Event>,
): Promise<void> {
  const { queue } = rules;
  const mayContinueAsNew = (): boolean =>
    workflowInfo().continueAsNewSuggested && queue.isEmpty && allHandlersFinished() && rules.isQuiet();
  rules.show(entity.state);
  await recordLoad(queue.waiting, rules);
  for (;;) {
    if ((await takeStep(entity, rules)) === 'deleted') return refuseAll(queue);
    if (mayContinueAsNew()) await rules.continueAsNew(entity);
    const dueAt = rules.nextDueAt(entity.state, Date.now());
    const isWoken = (): boolean => !queue.isEmpty || mayContinueAsNew();
    if (dueAt === null) await condition(isWoken);
    else if (dueAt > Date.now())
      await condition(isWoken, dueAt - Date.now(), { summary: rules.timerSummary(entity.state) });
  }
}

/**
 * Decides on what has come due and on every command received so far, and writes the outcome once. A row that is ahead
 * knows of steps that this workflow does not (it was reset, or Temporal restored): its state is taken over and the
 * commands are decided on again.
 */
async function takeStep<State, Command extends { readonly type: string }, Event>(
  entity: Entity<State>,
  rules: EntityRules<State, Command, Event>,
): Promise<'open' | 'deleted'> {
  const entries = rules.queue.drain();
  for (;;) {
    const { state, events, isRefreshed, settle } = decideStep(entity.state, rules, entries);
    if (entries.some(({ command }) => command.type === 'deleteUser')) return 'deleted';
    if (events.length === 0 && !isRefreshed) {
      settle();
      return 'open';
    }
    const revision = entity.revision + 1;
    const { isSuperseded } = await rules.save({ before: entity.state, state, revision, events });
    if (!isSuperseded) {
      Object.assign(entity, { state, revision });
      rules.show(state);
      settle();
      return 'open';
    }
    const loaded = await rules.load();
    if (loaded === null) return 'deleted';
    Object.assign(entity, loaded);
    await recordLoad(entries, rules);
  }
}

/**
 * Ends the task in which the row was loaded, by a timer. If it were lost after the next step was written, its
 * repetition would load what that step wrote, and refuse the command that led to it.
 */
async function recordLoad<State, Command extends { readonly type: string }, Event>(
  entries: readonly Entry<Command | EntityCommand, Outcome<State, Event>>[],
  rules: EntityRules<State, Command, Event>,
): Promise<void> {
  if (entries.some(({ command }) => !isEntityCommand(command) && rules.isOneShot(command)))
    await sleep(1, { summary: 'Records the row that was read' });
}

/** What a step leads to; `settle` answers and refuses the commands, once the outcome is written. */
function decideStep<State, Command extends { readonly type: string }, Event>(
  before: State,
  rules: EntityRules<State, Command, Event>,
  entries: readonly Entry<Command | EntityCommand, Outcome<State, Event>>[],
): { state: State; events: readonly Event[]; isRefreshed: boolean; settle: () => void } {
  const { queue } = rules;
  let state = before;
  const events: Event[] = [];
  const settlements: (() => void)[] = [];
  const apply = (decided: readonly Event[]): void => {
    events.push(...decided);
    state = decided.reduce((reached, event) => rules.evolve(reached, event), state);
  };
  const passTime = (): void => {
    const decision = rules.decide(state, { type: 'passTime' }, Date.now());
    if (decision.accepted) apply(decision.events);
  };

  passTime(); // what was due before a command came has happened before it, however late this task runs
  for (const entry of entries) {
    const { command, reply } = entry;
    if (isEntityCommand(command)) continue;
    const found = state;
    const decision = rules.decide(found, command, Date.now());
    if (decision.accepted) {
      apply(decision.events);
      settlements.push(() => reply?.resolve({ before: found, events }));
    } else {
      settlements.push(() => queue.refuse(entry, decision.refusal));
    }
  }
  passTime();
  return {
    state,
    events,
    isRefreshed: entries.some(({ command }) => command.type === 'refresh'),
    settle: () => {
      for (const settlement of settlements) settlement();
    },
  };
}

/** Tells the commands of every entity from those of the domain. */
export function isEntityCommand(command: { readonly type: string }): command is EntityCommand {
  return command.type === 'refresh' || command.type === 'deleteUser';
}

/** Refuses whatever is still waiting: there is no user any more. */
export function refuseAll<Command, Reply>(queue: CommandQueue<Command, Reply>): void {
  for (const entry of queue.drain()) queue.refuse(entry, DELETED);
}

/**
 * Makes `run` the life of an entity workflow: `workflow cancel` is recorded and refused, since only its user's deletion
 * ends it, and a signal that nobody knows is recorded instead of lost.
 */
export async function asEntity<Command, Reply>(
  queue: CommandQueue<Command, Reply>,
  run: () => Promise<void>,
): Promise<void> {
  CancellationScope.current().cancelRequested.catch(() => {
    queue.refuse(
      { name: 'cancel' },
      {
        code: 'cancellation_refused',
        detail: 'This workflow ends with its user. Terminate it to have the audit start it again from the row.',
      },
    );
  });
  setDefaultSignalHandler((name) => {
    queue.refuse({ name }, { code: 'unknown_signal', detail: `There is no signal "${name.slice(0, 100)}".` });
  });
  await CancellationScope.nonCancellable(run);
}

/**
 * Handles an Update: refused by its validator when the present state forbids it, else answered after its step is
 * written.
 */
export function handleUpdate<Command, Reply, View>({
  queue,
  definition,
  parse,
  prevalidate,
  view,
}: {
  queue: CommandQueue<Command, Reply>;
  definition: { readonly name: string };
  parse: (payload: unknown) => Parsed<Command>;
  /** The refusal that the present state already tells, if any. */
  prevalidate: (command: Command) => Refusal | null;
  view: (reply: Reply) => View;
}): void {
  const validator = (payload?: unknown): void => {
    const parsed = parse(payload);
    const refusal = parsed.ok ? prevalidate(parsed.value) : parsed.refusal;
    if (refusal !== null) throw refusalFailure(refusal);
  };
  setHandler(
    defineUpdate<View, [unknown?]>(definition.name),
    async (payload?: unknown) => view(await queue.submit(definition.name, parse(payload))),
    { validator },
  );
}
