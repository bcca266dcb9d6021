import type { Log } from '../log/log.ts';
import { LOG_CHANNEL } from '../log/log-reader.ts';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import { currentTraceparent } from '../../telemetry/trace-context.ts';
import type { BusMessage } from '../bus.ts';
import { partitionOf } from '../partition.ts';

/** The relay's name among readers and sources of dead letters. */
export const MESSAGE_RELAY = 'outgoing-relay';

/** The log of messages on their way to the bus. */
export const MESSAGE_OUTBOX: Log = {
  table: 'outgoing_messages',
  readers: { name: MESSAGE_RELAY },
  payloadBytes: 'pg_column_size(t.payload)',
};

/** Partitions of the message outbox. Not a setting: another number would break the order within a key. */
export const OUTBOX_PARTITIONS = 8;

/**
 * Writes messages to the message outbox, in the transaction of the change that they tell of; the relay publishes them
 * once it commits. A message id that is there already is not written again. Payloads must be JSON. For the order within
 * a key the transaction must begin with `lockStreams` on it. The `traceparent` of the current span is written into the
 * event and the row.
 */
export async function enqueueMessages(tx: AnyTx, messages: readonly BusMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await sql(tx, APPEND, [
    messages.map(({ tenantId }) => tenantId),
    messages.map(({ messageId }) => messageId),
    messages.map(({ topic }) => topic),
    messages.map(({ key }) => key),
    messages.map(({ key }) => partitionOf(key, OUTBOX_PARTITIONS)),
    messages.map(({ payload }) => payload),
    currentTraceparent() ?? null,
  ]);
}

const APPEND = `
  WITH appended AS (
    INSERT INTO ${MESSAGE_OUTBOX.table} (tenant_id, message_id, topic, key, partition, payload, trace_context)
    SELECT tenant_id, message_id, topic, key, partition, CASE
      WHEN $7::text IS NOT NULL AND jsonb_exists(payload::jsonb, 'specversion')
      THEN payload::jsonb || jsonb_build_object('traceparent', $7::text) ELSE payload::jsonb END, $7::text
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
      WITH ORDINALITY AS m (tenant_id, message_id, topic, key, partition, payload, place)
    ORDER BY place
    ON CONFLICT (tenant_id, message_id) DO NOTHING)
  SELECT pg_notify('${LOG_CHANNEL}', '${MESSAGE_OUTBOX.table}')::text`;
