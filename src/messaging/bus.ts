import { toStorableText } from '../domain/shared/text.ts';
import type { MessagingCause } from './codes.ts';

/** A message on the bus. */
export interface BusMessage {
  readonly tenantId: string;
  /** The same for every copy of the message, however often it is published or delivered. */
  readonly messageId: string;
  readonly topic: string;
  /** Messages of a topic with one key are delivered in the order in which they were published. */
  readonly key: string;
  /** Usually JSON; what a stranger publishes may be anything. */
  readonly payload: string;
  /** W3C `traceparent` of what it came from; adapters with headers send it as one, beside the event's own attribute. */
  readonly traceparent?: string;
  /** The log-in that published it, where the bus knows: PostgreSQL stamps it. */
  readonly publishedBy?: string;
}

/** Handles a message; it may get the same message more than once. */
export type MessageHandler = (message: BusMessage) => Promise<void>;

/** A subscription: which group gets which topics, and what handles them. */
export interface SubscribeOptions {
  /** Subscribers of one group share its messages and name the same topics; each group gets every message. */
  readonly group: string;
  /** They need not exist yet. A group that has read nothing begins with the oldest message that is kept. */
  readonly topics: readonly string[];
  /**
   * Resolves: the message is done with. Rejects with a `PoisonError`: it is parked among the dead letters at once.
   * Rejects otherwise: it is retried after each of the bus's retry delays, then parked, so that no message blocks those
   * behind it for ever.
   */
  readonly handle: MessageHandler;
  /**
   * Handles several messages at once, in their order; for speed. When it rejects, `handle` gets each of them, also
   * those that it had handled already: so a poison message is found and parked alone.
   */
  readonly handleBatch?: (messages: readonly BusMessage[]) => Promise<void>;
}

/** A running subscription. */
export interface Subscription {
  /** Ends it after the messages under way; the other members of the group take over. */
  stop(): Promise<void>;
}

/** Keeps a message that failed for good; one that can't be kept is delivered again. */
export type Park = (parked: {
  readonly group: string;
  readonly message: BusMessage;
  readonly error: unknown;
}) => Promise<void>;

/** The message bus. */
export interface Bus {
  /**
   * Resolves once the messages are durable. Messages of one key keep their order, within a call and from one call to
   * the next. Rejects with a `PoisonError` and publishes none if one of them can never be published.
   */
  publish(messages: readonly BusMessage[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Whether the broker answers now. */
  isHealthy(): Promise<boolean>;
  /** Ends all subscriptions and connections of its own. */
  close(): Promise<void>;
}

/** A message that no retry can help; `code` is one of those that its domain declares, and the catalogue explains. */
export class PoisonError<Code extends string = string> extends Error {
  override name = 'PoisonError';
  readonly code: Code;

  constructor(code: Code, detail: string) {
    super(detail);
    this.code = code;
  }
}

const MAX_DETAIL_LENGTH = 2_000;

/** Cause and detail of a failure, as dead letters keep them. */
export function parkingCause(error: unknown, otherwise: MessagingCause): { cause: string; detail: string } {
  const detail = toStorableText(error instanceof Error ? error.message : String(error), MAX_DETAIL_LENGTH);
  return { cause: error instanceof PoisonError ? error.code : otherwise, detail };
}
