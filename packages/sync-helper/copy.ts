/** One version of one user, as a service takes it over. An event of `handleUserEvents` is one. */
export interface UserCopy {
  readonly tenantId: string;
  /** Steadfast's id of the user: a UUID. */
  readonly userId: string;
  /** From 1, counted up by each change of the user. */
  readonly userVersion: number;
  /** The event that asked for it. With it a repeated answer has one id; without it each answer is a new one. */
  readonly eventId?: string;
  /** W3C Trace Context of that event; the answer carries it on, so that one trace holds both. */
  readonly traceparent?: string;
}

/** A copy that an event asked for. */
export type EventCopy = UserCopy & { readonly eventId: string };

/** Names one user's copy. */
export type CopyKey = Pick<UserCopy, 'tenantId' | 'userId'>;
