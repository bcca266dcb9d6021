import { createHash, randomUUID } from 'node:crypto';
import type { BusMessage } from '../../src/messaging/bus.ts';
import { TOPICS } from '../../src/events/user-events.ts';
import type { UserCopy } from './copy.ts';

/** Error texts and reasons are cut at this many characters. */
const MAX_TEXT_LENGTH = 1_000;
/** Only so much of a text is looked at. */
const MAX_READ_LENGTH = 4 * MAX_TEXT_LENGTH;
const WORDS = /[^\s<>()[\]"',;:]+/g;

/** Who answers about which copy. */
export interface Answer {
  readonly service: string;
  readonly copy: UserCopy;
}

/** The message that says: this version has been taken over. */
export function confirmation({ service, copy }: Answer): BusMessage {
  const { userId, userVersion } = copy;
  return message({
    topic: TOPICS.syncConfirmed,
    id: answerId('confirmed', { service, copy }),
    service,
    copy,
    data: { userId, service, userVersion },
  });
}

/**
 * The message that says: this version could not be taken over. The texts in `personal` are blanked out of the error's.
 */
export function failureReport({
  service,
  copy,
  error,
  personal = [],
}: Answer & { error: unknown; personal?: readonly string[] }): BusMessage {
  const { userId, userVersion } = copy;
  const text = withoutPersonalData(error instanceof Error ? error.message : String(error), personal);
  return message({
    topic: TOPICS.syncFailed,
    id: answerId('failed', { service, copy }),
    service,
    copy,
    data: { userId, service, userVersion, error: text },
  });
}

/** What a service doubts. */
export interface Doubt {
  readonly tenantId: string;
  readonly userId: string;
  /** For Steadfast's operators; no personal data. Cut at 1,000 characters. */
  readonly reason: string;
  /** Version that the service holds; left out: none, or it does not know. */
  readonly userVersion?: number;
}

/** The message that asks for the user anew. Each is a new request: asking again must not be taken for a repetition. */
export function reconciliationRequest({ service, doubt }: { service: string; doubt: Doubt }): BusMessage {
  const { tenantId, userId, reason, userVersion } = doubt;
  return message({
    topic: TOPICS.reconciliationRequest,
    id: randomUUID(),
    service,
    copy: { tenantId, userId },
    data: {
      userId,
      service,
      reason: withoutPersonalData(reason, []),
      ...(userVersion === undefined ? {} : { userVersion }),
    },
  });
}

/** The same id whenever a service gives the same answer about the same event, so that a repetition is recognised. */
function answerId(
  outcome: 'confirmed' | 'failed',
  { service, copy: { tenantId, userId, userVersion, eventId } }: Answer,
): string {
  if (eventId === undefined) return randomUUID();
  return createHash('sha256')
    .update(JSON.stringify([service, tenantId, userId, userVersion, outcome, eventId]))
    .digest('hex');
}

function message({
  topic,
  id,
  service,
  copy: { tenantId, userId, traceparent },
  data,
}: {
  topic: string;
  id: string;
  service: string;
  copy: Pick<UserCopy, 'tenantId' | 'userId' | 'traceparent'>;
  data: object;
}): BusMessage {
  const event = {
    specversion: '1.0',
    id,
    source: `/services/${service}`,
    type: topic,
    subject: userId,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenantId,
    ...(traceparent === undefined ? {} : { traceparent }),
    data,
  };
  return { tenantId, messageId: id, topic, key: userId, payload: JSON.stringify(event) };
}

/** Messages of database drivers may quote the values of a failed statement. */
function withoutPersonalData(text: string, personal: readonly string[]): string {
  const known = personal.filter((value) => value.length > 2).toSorted((a, b) => b.length - a.length);
  return known
    .reduce((rest, value) => rest.replaceAll(value, '[…]'), text.slice(0, MAX_READ_LENGTH))
    .replaceAll(WORDS, (word) => (mayBeEmail(word) ? '[…]' : word))
    .slice(0, MAX_TEXT_LENGTH)
    .toWellFormed();
}

function mayBeEmail(word: string): boolean {
  const at = word.lastIndexOf('@');
  return at > 0 && word.indexOf('.', at + 2) > 0;
}
