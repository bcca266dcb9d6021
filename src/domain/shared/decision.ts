/** Codes of the expected refusals of the domain; each is described in the error catalogue. */
export type RefusalCode =
  | 'invalid_payload'
  | 'unknown_signal'
  | 'profile_already_completed'
  | 'profile_expired'
  | 'profile_not_expired'
  | 'user_suspended'
  | 'user_not_suspended'
  | 'unknown_service'
  | 'unknown_version'
  | 'cancellation_refused'
  | 'user_deleted'
  | 'process_closed'
  | 'process_not_parked'
  | 'process_turned_back'
  | 'past_point_of_no_return'
  | 'unknown_event'
  | 'unknown_step';

/** A command that is not allowed now: a code to branch on and a sentence to read. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
}

/** What a decision yields: events, or the reason why there are none. */
export type Decision<Event> =
  | { readonly accepted: true; readonly events: readonly Event[] }
  | { readonly accepted: false; readonly refusal: Refusal };

/** The decision that these events happened. */
export function accept<Event>(...events: readonly Event[]): Decision<Event> {
  return { accepted: true, events };
}

/** The decision that nothing happened, and why. */
export function refuse(code: RefusalCode, detail: string): { readonly accepted: false; readonly refusal: Refusal } {
  return { accepted: false, refusal: { code, detail } };
}

/** A payload that was read, or the reason why it could not be. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: Refusal };

/** The parse result that `detail` is wrong with the payload. */
export function invalid(detail: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code: 'invalid_payload', detail } };
}
