import { ApplicationFailure } from '@temporalio/workflow';
import type { Parsed, Refusal } from '../../domain/shared/decision.ts';

/** A command that changed nothing, kept so that operators see why. */
export interface RefusedCommand {
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  readonly code: string;
  readonly detail: string;
}

/** What the senders of accepted commands learn: the state before their command and everything that then happened. */
export interface Outcome<State, Event> {
  readonly before: State;
  readonly events: readonly Event[];
}

/** A received command; `reply` is there when its sender waits for the outcome. */
export interface Entry<Command, Reply> {
  readonly name: string;
  readonly command: Command;
  readonly reply?: PromiseWithResolvers<Reply>;
}

const KEPT_REFUSALS = 20;

/**
 * The commands an entity workflow has received and not yet decided on, in order of arrival. Signals and Updates both
 * end here, so that one loop decides on them one after the other, between two writes of the row.
 */
export class CommandQueue<Command, Reply> {
  readonly refused: RefusedCommand[];
  readonly #entries: Entry<Command, Reply>[] = [];

  constructor(refused: readonly RefusedCommand[] = []) {
    this.refused = [...refused];
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The commands received so far, oldest first, left where they are. */
  get waiting(): readonly Entry<Command, Reply>[] {
    return this.#entries;
  }

  /** Takes a signal; what is wrong with its payload is recorded. */
  signal(name: string, parsed: Parsed<Command>): void {
    if (parsed.ok) this.#entries.push({ name, command: parsed.value });
    else this.#record(name, parsed.refusal);
  }

  /** Takes an Update's command and waits until it has taken effect; a refusal rejects with its code as failure type. */
  async submit(name: string, parsed: Parsed<Command>): Promise<Reply> {
    if (!parsed.ok) throw refusalFailure(parsed.refusal);
    // Not a Trigger, which a cancellation rejects: entity workflows refuse `workflow cancel`, and their callers go on.
    const reply = Promise.withResolvers<Reply>();
    this.#entries.push({ name, command: parsed.value, reply });
    return reply.promise;
  }

  /** The commands received so far, oldest first; they are the caller's to answer or refuse. */
  drain(): Entry<Command, Reply>[] {
    return this.#entries.splice(0);
  }

  /** Tells the sender that the command was not allowed. */
  refuse({ name, reply }: Pick<Entry<Command, Reply>, 'name' | 'reply'>, refusal: Refusal): void {
    if (reply === undefined) this.#record(name, refusal);
    else reply.reject(refusalFailure(refusal));
  }

  #record(name: string, { code, detail }: Refusal): void {
    this.refused.push({ name, at: new Date().toISOString(), code, detail });
    this.refused.splice(0, this.refused.length - KEPT_REFUSALS);
  }
}

/** The failure by which an Update is rejected. */
export function refusalFailure({ code, detail }: Refusal): ApplicationFailure {
  return ApplicationFailure.nonRetryable(detail, code);
}
