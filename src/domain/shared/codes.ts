/** What a code means to whoever reads it. */
export interface Explanation {
  readonly title: string;
  /** What has happened, in one sentence. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A code that ends or delays something. */
export interface CodeEntry extends Explanation {
  /** Whether the same again may succeed without anything being changed. */
  readonly retryable: boolean;
}

/** A refusal that a caller gets, and what kind of no it is. */
export interface RefusalEntry extends CodeEntry {
  readonly kind: 'invalid' | 'forbidden' | 'missing' | 'conflict';
}

/** A refusal because of how things stand. */
export function conflict(title: string, detail: string, remedy: string): RefusalEntry {
  return { title, detail, remedy, retryable: false, kind: 'conflict' };
}

/** A refusal because what is asked about does not exist, or is not the caller's to see. */
export function missing(title: string, detail: string, remedy: string): RefusalEntry {
  return { title, detail, remedy, retryable: false, kind: 'missing' };
}

/** What the same again would end with again. */
export function final(title: string, detail: string, remedy: string): CodeEntry {
  return { title, detail, remedy, retryable: false };
}

/** What may succeed when it is tried again. */
export function passing(title: string, detail: string, remedy: string): CodeEntry {
  return { title, detail, remedy, retryable: true };
}

/** Refusals that any command of any workflow may end with. */
export const COMMAND_REFUSALS = {
  invalid_payload: {
    title: 'Invalid payload',
    detail: "The command carries a value that it can't have.",
    remedy: 'Send it again with the value that `detail` asks for.',
    retryable: false,
    kind: 'invalid',
  },
  unknown_signal: conflict(
    'Unknown signal',
    'The workflow knows no signal of this name.',
    'Look the name up: it is spelled otherwise, or another type of workflow takes it.',
  ),
  not_saved: conflict(
    'Not saved',
    'What the command leads to can not be written, now or later; nothing has changed.',
    'Look at the alert `step_not_saved`, which names the reason; send it again with a value that can be kept.',
  ),
} as const satisfies Record<string, RefusalEntry>;
