import type { Tx } from '../db/client.ts';
import { LOG_CHANNEL } from '../db/log-reader.ts';
import { currentTraceparent } from '../telemetry/trace-context.ts';
import type { BusMessage } from './bus.ts';
import { partitionOf } from './partition.ts';

/** Partitions of the outgoing log. Not a setting: the order of a key holds as long as this stays. */
export const OUTGOING_PARTITIONS = 8;

/**
 * Writes messages to the outgoing log, in the transaction of the change that they tell of; the relay publishes them once
 * it commits. One that is there already is not written again. Their payloads must be JSON. For the order within a key
 * the transaction has to begin with `lockStreams` on it. An event says which trace it belongs to, and so does its row.
 */
export async function appendOutgoing(tx: Tx, messages: readonly BusMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const traceparent = currentTraceparent() ?? null;
  await tx.$executeRaw`
    INSERT INTO outgoing_messages (tenant_id, message_id, topic, key, partition, payload, trace_context)
    SELECT tenant_id, message_id, topic, key, partition, CASE
      WHEN ${traceparent}::text IS NOT NULL AND jsonb_exists(payload::jsonb, 'specversion')
      THEN payload::jsonb || jsonb_build_object('traceparent', ${traceparent}::text) ELSE payload::jsonb END, ${traceparent}::text
    FROM unnest(
      ${messages.map(({ tenantId }) => tenantId)}::text[], ${messages.map(({ messageId }) => messageId)}::text[],
      ${messages.map(({ topic }) => topic)}::text[], ${messages.map(({ key }) => key)}::text[],
      ${messages.map(({ key }) => partitionOf(key, OUTGOING_PARTITIONS))}::int[], ${messages.map(({ payload }) => payload)}::text[]
    ) WITH ORDINALITY AS m (tenant_id, message_id, topic, key, partition, payload, place)
    ORDER BY place
    ON CONFLICT (tenant_id, message_id) DO NOTHING`;
  await tx.$queryRaw`SELECT pg_notify(${LOG_CHANNEL}, 'outgoing_messages')::text`;
}
