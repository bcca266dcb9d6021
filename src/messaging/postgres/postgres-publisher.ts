import { BUS_LOG } from './bus-log.ts';
import type { ClientBase } from 'pg';
import { isTenantName } from '../../domain/shared/tenant.ts';
import { containsNul } from '../../domain/shared/text.ts';
import { LOG_CHANNEL } from '../log/log-reader.ts';
import type { MemberPool, SystemPool, TenantPool } from '../../postgres/pool.ts';
import { rawTransaction, systemTransaction } from '../../postgres/transaction.ts';
import { PoisonError, type BusMessage } from '../bus.ts';
import { partitionOf } from '../partition.ts';
import type { MessagingCause } from '../codes.ts';

const BATCH_SIZE = 1_000;
/** What Kafka takes by default: a message that fits one adapter fits the other. */
const MAX_PAYLOAD_BYTES = 1_000_000;

/** Who publishes: the application for one tenant at a time, the others for any. */
type PublisherPool = TenantPool | SystemPool | MemberPool;

interface Request {
  readonly messages: readonly BusMessage[];
  readonly settle: (error?: unknown) => void;
}

/**
 * Writes messages to `bus_messages`, one insert after the other: the calls that arrive during one share the next, which
 * keeps their order and makes many small calls cheap.
 */
export function createPostgresPublisher({
  pool,
  partitions,
}: {
  pool: PublisherPool;
  partitions: number;
}): (messages: readonly BusMessage[]) => Promise<void> {
  const waiting: Request[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    isWriting = true;
    for (let batch = take(waiting); batch.length > 0; batch = take(waiting)) {
      const error: unknown = await insert(
        pool,
        partitions,
        batch.flatMap(({ messages }) => messages),
      ).catch((failure: unknown) => failure);
      for (const { settle } of batch) settle(error);
    }
    isWriting = false;
  }

  return async (messages) => {
    if (messages.length === 0) return;
    for (const message of messages) assertPublishable(message);
    await new Promise<void>((resolve, reject) => {
      waiting.push({ messages, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      if (!isWriting) void writeAll();
    });
  };
}

function take(waiting: Request[]): Request[] {
  let size = 0;
  const end = waiting.findIndex(({ messages }, index) => (size += messages.length) > BATCH_SIZE && index > 0);
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

async function insert(pool: PublisherPool, partitions: number, messages: readonly BusMessage[]): Promise<void> {
  if (pool.reach !== 'tenant') return systemTransaction(pool, (client) => write(client, partitions, messages));
  for (const [tenantId, own] of Map.groupBy(messages, (message) => message.tenantId))
    await rawTransaction(pool, tenantId, (client) => write(client, partitions, own));
}

async function write(client: ClientBase, partitions: number, messages: readonly BusMessage[]): Promise<void> {
  await client.query(
    `
      WITH inserted AS (
        INSERT INTO ${BUS_LOG.table} (tenant_id, message_id, topic, key, partition, payload)
        SELECT tenant_id, message_id, topic, key, partition, payload
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[]) WITH ORDINALITY
          AS m (tenant_id, message_id, topic, key, partition, payload, place)
        ORDER BY place)
      SELECT pg_notify($7, '${BUS_LOG.table}')`,
    [
      messages.map(({ tenantId }) => tenantId),
      messages.map(({ messageId }) => messageId),
      messages.map(({ topic }) => topic),
      messages.map(({ key }) => key),
      messages.map(({ key }) => partitionOf(key, partitions)),
      messages.map(({ payload }) => payload),
      LOG_CHANNEL,
    ],
  );
}

function assertPublishable({ tenantId, messageId, topic, key, payload }: BusMessage): void {
  if (!isTenantName(tenantId))
    throw new PoisonError<MessagingCause>('publish_failed', 'The message names no tenant that there can be.');
  if (messageId === '' || topic === '')
    throw new PoisonError<MessagingCause>('publish_failed', 'The message lacks its id or topic.');
  if ([tenantId, messageId, topic, key, payload].some(containsNul)) {
    throw new PoisonError<MessagingCause>('publish_failed', 'The message contains a NUL character.');
  }
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
    throw new PoisonError<MessagingCause>('publish_failed', `The payload is longer than ${MAX_PAYLOAD_BYTES} bytes.`);
  }
}
