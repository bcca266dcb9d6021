import { defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Parsed, Refusal } from '../../domain/shared/decision.ts';
import { refusalFailure } from './command-queue.ts';
import type { DeciderRun, Kind, Outcome } from './decider.ts';

/** A message's definition, whatever its payload is typed as: it comes from outside and is parsed. */
interface Named {
  readonly name: string;
}

/** Takes a command by signal; one that is not allowed is recorded and changes nothing. */
export function handleSignal<K extends Kind>(
  { queue }: DeciderRun<K>,
  { name }: Named,
  parse: (payload: unknown) => Parsed<K['command']>,
): void {
  setHandler(defineSignal<[unknown?]>(name), (payload?: unknown) => queue.signal(name, parse(payload)));
}

/**
 * Takes a command by Update: refused by its validator when the present state forbids it already, else answered after
 * its step is written.
 */
export function handleUpdate<K extends Kind, View>(
  run: DeciderRun<K>,
  { name }: Named,
  parse: (payload: unknown) => Parsed<K['command']>,
  view: (outcome: Outcome<K>) => View,
  /** Reads the payload in the handler, where it may mark what the history must remember. */
  take: (payload: unknown) => Parsed<K['command']> = parse,
): void {
  const validator = (payload?: unknown): void => {
    const parsed = parse(payload);
    const refusal = parsed.ok ? prevalidate(run, parsed.value) : parsed.refusal;
    if (refusal !== null) throw refusalFailure(refusal);
  };
  setHandler(
    defineUpdate<View, [unknown?]>(name),
    async (payload?: unknown) => view(await run.queue.submit(name, take(payload))),
    { validator },
  );
}

/** The refusal that the present state already tells, if any; what waits before the command may change it. */
function prevalidate<K extends Kind>({ decider, queue, entity }: DeciderRun<K>, command: K['command']): Refusal | null {
  if (entity === null || !queue.isEmpty) return null;
  const decision = decider.decide(entity.state, command, { now: Date.now(), settings: entity.settings });
  return decision.accepted ? null : decision.refusal;
}
