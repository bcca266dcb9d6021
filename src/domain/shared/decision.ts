/** A command that is not allowed now: a code to branch on and a sentence to read. */
export interface Refusal<Code extends string = string> {
  readonly code: Code;
  readonly detail: string;
}

/** What a decision yields: events, or the reason why there are none. */
export type Decision<Event, Code extends string = string> =
  | { readonly accepted: true; readonly events: readonly Event[] }
  | { readonly accepted: false; readonly refusal: Refusal<Code> };

/** The decision that these events happened. */
export function accept<Event>(...events: readonly Event[]): Decision<Event, never> {
  return { accepted: true, events };
}

/** The decision that nothing happened, and why. */
export function refuse<Code extends string>(
  code: Code,
  detail: string,
): { readonly accepted: false; readonly refusal: Refusal<Code> } {
  return { accepted: false, refusal: { code, detail } };
}

/** A payload that was read, or the reason why it could not be. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: Refusal<'invalid_payload'> };

/** The parse result that `detail` is wrong with the payload. */
export function invalid(detail: string): {
  readonly ok: false;
  readonly refusal: Refusal<'invalid_payload'>;
} {
  return { ok: false, refusal: { code: 'invalid_payload', detail } };
}
