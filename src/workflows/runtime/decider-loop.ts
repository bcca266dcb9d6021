import {
  allHandlersFinished,
  CancellationScope,
  condition,
  setDefaultSignalHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { assertNever } from '../../domain/shared/assert-never.ts';
import type { Change, DeciderRun, Entity, Kind, Surroundings } from './decider.ts';
import { reach, recordLoad, show, takeOver, takeStep } from './take-step.ts';

/**
 * Runs whatever is decided by a pure function: decides on commands and due times, one step at a time, each written
 * before the next, until its lifecycle ends it. Answers where it ended; null: it was told to end, or its row is gone.
 *
 * A workflow brings its rule (`Decider`) to `openRun`, handles its messages (message-handlers.ts), and brings here how
 * its row is read and written (`Rows`), what it does between commands and when it ends (`Lifecycle`), and what
 * operators see (`Showing`); decider.ts describes each.
 */
export async function runDecider<K extends Kind>(
  run: DeciderRun<K>,
  around: Surroundings<K>,
): Promise<Entity<K> | null> {
  const { queue } = run;
  const { lifecycle } = around;
  CancellationScope.current().cancelRequested.catch(() => lifecycle.cancel());
  setDefaultSignalHandler((name) => {
    queue.refuse({ name }, { code: 'unknown_signal', detail: `There is no signal "${name.slice(0, 100)}".` });
  });
  return CancellationScope.nonCancellable(async () => {
    const begun = await lifecycle.begin();
    const ended = begun === null ? null : await runToEnd(run, around, begun);
    const refusal = lifecycle.refusalAtEnd(ended);
    for (const entry of queue.drain().entries) queue.refuse(entry, refusal);
    await condition(allHandlersFinished);
    return ended;
  });
}

async function runToEnd<K extends Kind>(
  run: DeciderRun<K>,
  around: Surroundings<K>,
  begun: Entity<K>,
): Promise<Entity<K> | null> {
  run.entity = begun;
  if (around.showing.when === 'after_each_step') show(run, around.showing, begun);
  await recordLoad(run, run.queue.waiting);
  let entity = await takeStep(run, around, begun);
  while (entity !== null) {
    const move = around.lifecycle.next(entity);
    switch (move.type) {
      case 'act':
        entity = await act(run, around, entity, move.act);
        break;
      case 'rest':
        await rest(run, around, entity, move.until);
        break;
      case 'end':
        if (around.showing.when === 'at_rest') show(run, around.showing, entity);
        return entity;
      default:
        assertNever(move);
    }
    if (entity !== null) entity = await takeStep(run, around, entity);
  }
  return null;
}

async function act<K extends Kind>(
  run: DeciderRun<K>,
  around: Surroundings<K>,
  entity: Entity<K>,
  perform: () => Promise<Change<K> | null>,
): Promise<Entity<K> | null> {
  const change = await perform();
  if (change === null) return takeOver(run, around, entity, run.queue.waiting);
  const { state, revision, events } = change;
  return reach(run, around, { ...entity, state, revision }, { before: entity.state, events });
}

/** Waits for a command, the next due time, or a moment to continue as new. */
async function rest<K extends Kind>(
  run: DeciderRun<K>,
  { lifecycle, showing }: Surroundings<K>,
  entity: Entity<K>,
  until: number | null,
): Promise<void> {
  const { queue } = run;
  const mayContinueAsNew = (): boolean =>
    workflowInfo().continueAsNewSuggested && queue.isEmpty && allHandlersFinished() && (lifecycle.isQuiet?.() ?? true);
  const isWoken = (): boolean => !queue.isEmpty || mayContinueAsNew();
  if (showing.when === 'at_rest') show(run, showing, entity);
  if (mayContinueAsNew()) await lifecycle.continueAsNew(entity);
  if (until === null) await condition(isWoken);
  else if (until > Date.now()) await condition(isWoken, until - Date.now(), { summary: showing.timerSummary(entity) });
}
