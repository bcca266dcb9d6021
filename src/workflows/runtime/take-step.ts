import { condition, setCurrentDetails, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import type { Refusal } from '../../domain/shared/decision.ts';
import type { CommandQueue, Entry } from './command-queue.ts';
import { decideStep, type Step } from './decide-step.ts';
import type { DeciderRun, Entity, Kind, Outcome, Showing, Surroundings } from './decider.ts';

/** How long a step that can't be written waits for its cause to be mended. */
const PARKED_MS = 600_000;
const NOT_SAVED: Refusal<'not_saved'> = {
  code: 'not_saved',
  detail: 'What the command leads to can not be written; nothing has changed.',
};

type Entries<K extends Kind> = readonly Entry<K['command'], Outcome<K>>[];

/**
 * Decides on what is due and on every command received so far, and writes the outcome once. A row that is ahead knows
 * of steps that this run does not (it was reset, or Temporal restored): it is taken over and the commands are decided
 * on again. Null: the workflow is over.
 */
export async function takeStep<K extends Kind>(
  run: DeciderRun<K>,
  around: Surroundings<K>,
  begun: Entity<K>,
): Promise<Entity<K> | null> {
  const { decider, queue } = run;
  if (queue.isEndRequested) return null;
  const { entries, isSaveRequested } = queue.drain();
  const commands = entries.map(({ command }) => command);
  for (let entity: Entity<K> | null = begun; entity !== null; entity = await takeOver(run, around, entity, entries)) {
    const before = entity.state;
    const { state, events, answers } = decideStep(decider, entity, commands, Date.now());
    if (events.length === 0 && !isSaveRequested) {
      reply(queue, entries, answers);
      return entity;
    }
    const revision = entity.revision + 1;
    const { answer, settings } = await around.rows.save({ before, state, revision, events });
    if (answer === 'superseded') continue;
    if (answer === 'unstorable') return setAside(run, around, entity, entries);
    const reached: Entity<K> | null =
      answer === 'written'
        ? await reach(run, around, { state, revision, settings }, { before, events })
        : await takeOver(run, around, entity, []);
    reply(queue, entries, answers);
    return reached;
  }
  for (const entry of entries) queue.refuse(entry, around.lifecycle.refusalAtEnd(null));
  return null;
}

/**
 * Drops a step that can never be written: refuses its commands and goes on from the row. One that time alone led to
 * would be decided on again at once, so it waits for a command, or for a while.
 */
async function setAside<K extends Kind>(
  run: DeciderRun<K>,
  around: Surroundings<K>,
  entity: Entity<K>,
  entries: Entries<K>,
): Promise<Entity<K> | null> {
  for (const entry of entries) run.queue.refuse(entry, NOT_SAVED);
  if (entries.length === 0)
    await condition(() => !run.queue.isEmpty, PARKED_MS, { summary: 'A step could not be saved' });
  return takeOver(run, around, entity, []);
}

/** Answers those who wait, and records what was refused of the others, once the step is written. */
function reply<K extends Kind>(
  queue: CommandQueue<K['command'], Outcome<K>>,
  entries: Entries<K>,
  answers: Step<K>['answers'],
): void {
  entries.forEach((entry, place) => {
    const answer = answers[place]!;
    if (answer.accepted) entry.reply?.resolve(answer.outcome);
    else queue.refuse(entry, answer.refusal);
  });
}

/** Goes on from what was just written. */
export async function reach<K extends Kind>(
  run: DeciderRun<K>,
  { lifecycle, showing }: Surroundings<K>,
  entity: Entity<K>,
  change: Outcome<K>,
): Promise<Entity<K>> {
  run.entity = entity;
  await lifecycle.afterChange?.(entity, change);
  if (showing.when === 'after_each_step') show(run, showing, entity);
  return entity;
}

/** Goes on from the row; null: it is gone. */
export async function takeOver<K extends Kind>(
  run: DeciderRun<K>,
  { rows, lifecycle }: Surroundings<K>,
  { state: before }: Entity<K>,
  entries: Entries<K>,
): Promise<Entity<K> | null> {
  const entity = await rows.load();
  if (entity === null) return null;
  run.entity = entity;
  await lifecycle.afterChange?.(entity, { before, events: [] });
  await recordLoad(run, entries);
  return entity;
}

/**
 * Ends the task in which the row was loaded, by a timer, where a command waits that is refused once it had its effect.
 * If the task were lost after the next step was written, its repetition would load what that step wrote, and refuse the
 * command that led to it.
 */
export async function recordLoad<K extends Kind>({ decider }: DeciderRun<K>, entries: Entries<K>): Promise<void> {
  if (entries.some(({ command }) => decider.isOneShot?.(command)))
    await sleep(1, { summary: 'Records the row that was read' });
}

/** Shows operators where the workflow stands. */
export function show<K extends Kind>(run: DeciderRun<K>, showing: Showing<K>, entity: Entity<K>): void {
  const attributes = showing.searchAttributes(entity);
  const shown = JSON.stringify(attributes.map(({ value }) => value));
  if (run.shown !== shown) upsertSearchAttributes(attributes);
  run.shown = shown;
  setCurrentDetails(showing.currentDetails(entity));
}
