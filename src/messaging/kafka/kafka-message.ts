import { isUtf8 } from 'node:buffer';
import type { KafkaRecord, MessageToProduce } from '@platformatic/kafka';
import { z } from 'zod';
import { isTenantName } from '../../domain/shared/tenant.ts';
import { containsNul, toStorableText } from '../../domain/shared/text.ts';
import { PoisonError, type BusMessage } from '../bus.ts';
import type { MessagingCause } from '../codes.ts';

/** Names of the headers. */
export const HEADERS = {
  tenantId: 'tenant-id',
  messageId: 'message-id',
  contentType: 'content-type',
  traceparent: 'traceparent',
} as const;

const MAX_ID_LENGTH = 300;
/** The limit of the PostgreSQL adapter. */
const MAX_PAYLOAD_BYTES = 1_000_000;
/** A broker's default limit, less the frame around a message. */
const MAX_MESSAGE_BYTES = 1_048_588 - 1_000;
const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

const eventWithTenant = z.object({ tenantid: z.string() });

/** Bytes that a message takes on the wire, at most. */
export function sizeOf({ tenantId, messageId, key, payload }: BusMessage): number {
  return [tenantId, messageId, key, payload].reduce((sum, text) => sum + Buffer.byteLength(text), 200);
}

/** Throws a `PoisonError` when no broker would ever take the message. */
export function assertPublishable(message: BusMessage): void {
  const { tenantId, messageId, topic, key, payload } = message;
  if (!isTenantName(tenantId))
    throw new PoisonError<MessagingCause>('publish_failed', 'The message names no tenant that there can be.');
  if (messageId === '') throw new PoisonError<MessagingCause>('publish_failed', 'The message lacks its id.');
  if (!TOPIC.test(topic))
    throw new PoisonError<MessagingCause>('publish_failed', `"${topic}" can't be the name of a topic.`);
  if ([tenantId, messageId, key, payload].some(containsNul)) {
    throw new PoisonError<MessagingCause>('publish_failed', 'The message contains a NUL character.');
  }
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES || sizeOf(message) > MAX_MESSAGE_BYTES) {
    throw new PoisonError<MessagingCause>(
      'publish_failed',
      `The payload is longer than ${MAX_PAYLOAD_BYTES} bytes, or its key or ids are.`,
    );
  }
}

/** The message as the broker is given it. */
export function toKafka({ tenantId, messageId, topic, key, payload, traceparent }: BusMessage): MessageToProduce {
  const contentType = payload.includes('"specversion"')
    ? 'application/cloudevents+json; charset=utf-8'
    : 'application/json; charset=utf-8';
  const headers: [string, string][] = [
    [HEADERS.contentType, contentType],
    [HEADERS.tenantId, tenantId],
    [HEADERS.messageId, messageId],
  ];
  if (traceparent !== undefined) headers.push([HEADERS.traceparent, traceparent]);
  return {
    topic,
    key: Buffer.from(key),
    value: Buffer.from(payload),
    headers: new Map(headers.map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
  };
}

/** Where a record was read. */
export interface KafkaPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * Makes a message of any record, whoever wrote it. What it lacks is filled in, so that it can be handled or parked: the
 * tenant is the header's, else the event's own, else `defaultTenant`; the id is the header's, else topic, partition and
 * offset, which are the same at each delivery.
 */
export function fromKafka(
  { key, value, headers }: KafkaRecord,
  { topic, partition, offset }: KafkaPlace,
  defaultTenant: string,
): BusMessage {
  const header = (name: string): string | undefined => {
    const found = headers.findLast(([headerName]) => headerName?.toString() === name)?.[1];
    return found && isUtf8(found) ? identifier(found.toString()) : undefined;
  };
  const payload = textOf(value);
  const traceparent = header(HEADERS.traceparent);
  return {
    tenantId: tenantOf(header(HEADERS.tenantId)) ?? tenantOf(tenantInEvent(payload)) ?? defaultTenant,
    messageId: header(HEADERS.messageId) ?? `${topic}/${partition}/${offset}`,
    topic,
    key: toStorableText(textOf(key)),
    payload,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Bytes that are no text survive as a `data:` URL, so that a dead letter has all of them. */
function textOf(bytes: Buffer | null): string {
  if (bytes === null) return '';
  return isUtf8(bytes) ? bytes.toString() : `data:application/octet-stream;base64,${bytes.toString('base64')}`;
}

function identifier(text: string): string | undefined {
  return text === '' || text.length > MAX_ID_LENGTH || containsNul(text) ? undefined : text;
}

/** A name that no token can have counts as none. */
function tenantOf(text: string | undefined): string | undefined {
  return text !== undefined && isTenantName(text) ? text : undefined;
}

function tenantInEvent(payload: string): string | undefined {
  try {
    const event = eventWithTenant.safeParse(JSON.parse(payload));
    return event.success ? identifier(event.data.tenantid) : undefined;
  } catch {
    return undefined;
  }
}
