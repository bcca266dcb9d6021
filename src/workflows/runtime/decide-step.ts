import type { Refusal } from '../../domain/shared/decision.ts';
import type { Decider, Entity, Kind, Outcome } from './decider.ts';

/** What a step leads to, and the answer to each of its commands. */
export interface Step<K extends Kind> {
  readonly state: K['state'];
  readonly events: readonly K['event'][];
  readonly answers: readonly (
    | { readonly accepted: true; readonly outcome: Outcome<K> }
    | { readonly accepted: false; readonly refusal: Refusal }
  )[];
}

/**
 * Decides on what is due, then on each command in its order, then on what has become due by them. What was due before a
 * command came has happened before it, however late the step is taken.
 */
export function decideStep<K extends Kind>(
  decider: Decider<K>,
  { state: before, settings }: Pick<Entity<K>, 'state' | 'settings'>,
  commands: readonly K['command'][],
  now: number,
): Step<K> {
  let state = before;
  const events: K['event'][] = [];
  const decide = (command: K['command'] | { readonly type: 'passTime' }): Step<K>['answers'][number] => {
    const found = state;
    const decision = decider.decide(found, command, { now, settings });
    if (!decision.accepted) return decision;
    events.push(...decision.events);
    state = decision.events.reduce<K['state']>((reached, event) => decider.evolve(reached, event), found);
    return { accepted: true, outcome: { before: found, events } };
  };

  decide({ type: 'passTime' });
  const answers = commands.map(decide);
  decide({ type: 'passTime' });
  return { state, events, answers };
}
