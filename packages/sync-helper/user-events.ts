import { z } from 'zod';
import { PoisonError, type BusMessage } from '../../src/messaging/bus.ts';
import { EVENTS, TOPICS } from '../../src/events/user-events.ts';
import type { EventCopy, UserCopy } from './copy.ts';

const userEvent = z.discriminatedUnion('type', [
  EVENTS[TOPICS.userCreated],
  EVENTS[TOPICS.userUpdated],
  EVENTS[TOPICS.userDeleted],
]);

/** The topics that tell of users. */
export const USER_TOPICS = [TOPICS.userCreated, TOPICS.userUpdated, TOPICS.userDeleted] as const;

type UserData = z.output<(typeof EVENTS)[typeof TOPICS.userUpdated]>['data'];

/** A user as an event tells it: the whole state of that version, not a difference. */
export type SyncedUser = EventCopy & Readonly<Omit<UserData, 'userId' | 'version' | 'services'>>;

/** The last that is told of a user. */
export type DeletedUser = EventCopy & {
  /** Whether this service is asked to confirm that it has forgotten the user. */
  readonly isAsked: boolean;
};

/** An event about a user, for one service. */
export type UserEvent =
  | { readonly kind: 'user'; readonly user: SyncedUser }
  | { readonly kind: 'deleted'; readonly user: DeletedUser }
  /** The user is not synchronised to this service, or not to be sent to it again now. */
  | { readonly kind: 'not_ours' };

/**
 * Reads a message of one of the `USER_TOPICS`; throws a `PoisonError` `malformed_event` when it is not what the topic
 * promises.
 */
export function parseUserEvent(message: BusMessage, service: string): UserEvent {
  const parsed = userEvent.safeParse(jsonOf(message));
  if (!parsed.success) throw new PoisonError('malformed_event', z.prettifyError(parsed.error));
  const event = parsed.data;
  if (event.type !== message.topic)
    throw new PoisonError('malformed_event', `An event of type ${event.type} came by the topic ${message.topic}.`);
  const { userId, version: userVersion } = event.data;
  if (event.tenantid !== undefined && event.tenantid !== message.tenantId) {
    throw new PoisonError('malformed_event', 'The event names another tenant than the message that brought it.');
  }
  const copy: EventCopy = {
    tenantId: message.tenantId,
    userId,
    userVersion,
    eventId: event.id,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
  };
  if (event.type === TOPICS.userDeleted) {
    const { services = [] } = event.data;
    return { kind: 'deleted', user: { ...copy, isAsked: services.includes(service) } };
  }
  const { services, version: _version, ...data } = event.data;
  return services.includes(service) ? { kind: 'user', user: { ...data, ...copy } } : { kind: 'not_ours' };
}

/** The copy that a malformed event is about, when that much can be read and it was meant for this service. */
export function copyNamedBy(message: BusMessage, service: string): UserCopy | undefined {
  const named = z
    .object({
      id: z.string(),
      data: z.object({ userId: z.guid(), version: z.int32().positive(), services: z.array(z.string()) }),
    })
    .safeParse(jsonOf(message));
  if (!named.success || !named.data.data.services.includes(service)) return undefined;
  const {
    id: eventId,
    data: { userId, version: userVersion },
  } = named.data;
  return { tenantId: message.tenantId, userId, userVersion, eventId };
}

function jsonOf({ payload }: BusMessage): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
