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

/** A received command; `reply` is there when its sender waits for the outcome. */
export interface Entry<Command, Reply> {
  readonly name: string;
  readonly command: Command;
  readonly reply?: PromiseWithResolvers<Reply>;
}

const KEPT_REFUSALS = 20;

/**
 * The commands that a workflow has received and not decided on yet, in order of arrival. Signals and Updates both come
 * here, so that one loop decides on them one after the other, between two writes of the row.
 */
export class CommandQueue<Command, Reply> {
  readonly refused: RefusedCommand[];
  readonly #entries: Entry<Command, Reply>[] = [];
  #isSaveRequested = false;
  #isEndRequested = false;

  constructor(refused: readonly RefusedCommand[] = []) {
    this.refused = [...refused];
  }

  /** Whether there is nothing to do for the loop. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && !this.#isSaveRequested && !this.#isEndRequested;
  }

  /** Whether the workflow is to end without a further step. */
  get isEndRequested(): boolean {
    return this.#isEndRequested;
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
    // Not a Trigger, which a cancellation rejects: a workflow goes on after `workflow cancel`, and so do its callers.
    const reply = Promise.withResolvers<Reply>();
    this.#entries.push({ name, command: parsed.value, reply });
    return reply.promise;
  }

  /** Has the next step written even if nothing happens in it. */
  requestSave(): void {
    this.#isSaveRequested = true;
  }

  /** Ends the workflow instead of the next step. */
  requestEnd(): void {
    this.#isEndRequested = true;
  }

  /** The commands received so far, oldest first; they are the caller's to answer or refuse. */
  drain(): { readonly entries: readonly Entry<Command, Reply>[]; readonly isSaveRequested: boolean } {
    const isSaveRequested = this.#isSaveRequested;
    this.#isSaveRequested = false;
    return { entries: this.#entries.splice(0), isSaveRequested };
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
