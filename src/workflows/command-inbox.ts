import { ApplicationFailure, CancellationScope, Trigger } from '@temporalio/workflow';
import type { Parsed, Refusal, RefusalCode } from '../domain/refusal.ts';

/** A command that changed nothing, kept so that operators see why. */
export interface RefusedCommand {
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  readonly code: RefusalCode;
  readonly detail: string;
}

const KEPT_REFUSALS = 20;

interface Entry<Command> {
  readonly name: string;
  readonly command: Command;
  readonly reply?: Trigger<void>;
}

/**
 * The commands an entity workflow has received and not yet decided on, in order of arrival. Signals and Updates both
 * end here, so that one loop decides on them one after the other, between two writes of the row.
 */
export class CommandInbox<Command> {
  readonly refused: RefusedCommand[];
  readonly #entries: Entry<Command>[] = [];

  constructor(refused: readonly RefusedCommand[] = []) {
    this.refused = [...refused];
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Takes a signal; what is wrong with it is recorded. */
  signal(name: string, parsed: Parsed<Command>): void {
    if (parsed.ok) this.#entries.push({ name, command: parsed.value });
    else this.recordRefusal(name, parsed.refusal);
  }

  /** Takes an Update's command and waits until it has taken effect; a refusal rejects with its code as failure type. */
  ask(name: string, parsed: Parsed<Command>): Promise<void> {
    if (!parsed.ok) return Promise.reject(refusalFailure(parsed.refusal));
    const reply = new Trigger<void>();
    this.#entries.push({ name, command: parsed.value, reply });
    // Not cancellable: `workflow cancel` is refused by entity workflows and must not fail their callers.
    return CancellationScope.nonCancellable(async () => await reply);
  }

  /** The commands received so far, oldest first; they are the caller's to settle or refuse. */
  takeAll(): Entry<Command>[] {
    return this.#entries.splice(0);
  }

  /** Tells the sender that the command was not allowed. */
  refuse({ name, reply }: Entry<Command>, refusal: Refusal): void {
    if (reply === undefined) this.recordRefusal(name, refusal);
    else reply.reject(refusalFailure(refusal));
  }

  /** Keeps a refusal for the `state` query. */
  recordRefusal(name: string, { code, detail }: Refusal): void {
    this.refused.push({ name, at: new Date().toISOString(), code, detail });
    this.refused.splice(0, this.refused.length - KEPT_REFUSALS);
  }

  /** Records and refuses `workflow cancel`: only the user's deletion ends an entity workflow. */
  refuseCancellation(): void {
    CancellationScope.current().cancelRequested.catch(() => {
      this.recordRefusal('cancel', {
        code: 'cancellation_refused', detail: 'This workflow ends when its user is deleted; terminate it to have the audit start it anew.',
      });
    });
  }
}

/** The failure by which an Update is rejected. */
export function refusalFailure({ code, detail }: Refusal): ApplicationFailure {
  return ApplicationFailure.nonRetryable(detail, code);
}
