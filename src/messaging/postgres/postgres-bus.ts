import pLimit from 'p-limit';
import type pg from 'pg';
import type { LogPool } from '../log/log.ts';
import { startLogReader, type LogReader } from '../log/log-reader.ts';
import type { Bus, BusMessage, Park, SubscribeOptions } from '../bus.ts';
import { deliverAll, type DeliveryOutcome } from '../delivery.ts';
import { BUS_LOG, READER_PREFIX } from './bus-log.ts';
import { createPostgresPublisher } from './postgres-publisher.ts';

const DEFAULT_CONCURRENCY = 8;

/** What the PostgreSQL bus is built from. */
export interface PostgresBusOptions {
  /** Of what looks across tenants, or of another team's service; the bus does not end it. */
  readonly pool: LogPool;
  readonly park: Park;
  /** BUS_PARTITIONS. A key may change partition with it, and be out of order once while both have messages. */
  readonly partitions: number;
  readonly pollMs: number;
  readonly retryDelaysMs: readonly number[];
  /** Whether a handler's error means that what it needs is away: such attempts are not counted. Default: never. */
  readonly isInfrastructureAway?: (error: unknown) => boolean;
  /** Most handlers running at a time, for each subscription; each may take a connection of the pool. */
  readonly concurrency?: number;
  /** How long the messages of a process that died wait for another; 10 s. */
  readonly leaseMs?: number;
  /** Called with every attempt, for logs and metrics. */
  readonly onDelivery?: (delivery: {
    group: string;
    message: BusMessage;
    outcome: DeliveryOutcome;
    error?: unknown;
  }) => void;
  /** Called with failures of the database, which are retried by themselves. */
  readonly onError?: (error: unknown) => void;
}

/** The bus without a broker: a table, read by cursors. */
export function createPostgresBus(options: PostgresBusOptions): Bus {
  const readers = new Set<LogReader>();
  return {
    publish: createPostgresPublisher(options),
    subscribe: async (subscription) => {
      const reader = read(options, subscription);
      readers.add(reader);
      return {
        stop: async () => {
          await reader.stop();
          readers.delete(reader);
        },
      };
    },
    isHealthy: () => answers(options.pool),
    close: async () => {
      await Promise.all([...readers].map((reader) => reader.stop()));
      readers.clear();
    },
  };
}

/** Whether the database answers now. */
export function answers(pool: pg.Pool): Promise<boolean> {
  return pool.query('SELECT 1').then(
    () => true,
    () => false,
  );
}

function read(options: PostgresBusOptions, { group, topics, handle, handleBatch }: SubscribeOptions): LogReader {
  const {
    pool,
    park,
    partitions,
    pollMs,
    retryDelaysMs,
    isInfrastructureAway,
    leaseMs,
    onDelivery = () => {},
    onError = () => {},
  } = options;
  const inSlot = pLimit(options.concurrency ?? DEFAULT_CONCURRENCY);
  const wanted = new Set(topics);
  return startLogReader({
    pool,
    reader: readerName({ group, topics }),
    log: BUS_LOG,
    columns: ['tenant_id', 'message_id', 'topic', 'key', 'payload', 'published_by'],
    partitions,
    pollMs,
    onError,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    handle: async (rows, signal) => {
      const messages = rows.map((row): BusMessage => ({
        tenantId: row.tenant_id,
        messageId: row.message_id,
        topic: row.topic,
        key: row.key,
        payload: row.payload,
        ...(row.published_by === null ? {} : { publishedBy: row.published_by }),
      }));
      return await deliverAll(messages, {
        signal,
        retryDelaysMs,
        ...(isInfrastructureAway === undefined ? {} : { isInfrastructureAway }),
        handle: async (message) => {
          if (wanted.has(message.topic)) await inSlot(() => handle(message));
        },
        ...(handleBatch === undefined
          ? {}
          : {
              handleBatch: async (batch) => {
                const some = batch.filter(({ topic }) => wanted.has(topic));
                if (some.length > 0) await inSlot(() => handleBatch(some));
              },
            }),
        park: (message, error) => park({ group, message, error }),
        observe: (message, outcome, error) => {
          if (wanted.has(message.topic)) onDelivery({ group, message, outcome, error });
        },
      });
    },
  });
}

/**
 * The topics are part of the name: a group that asks for another set begins again with the oldest message. Else members
 * of the old set, still running beside the new ones, would move the cursor past messages that they don't ask for.
 */
export function readerName({ group, topics }: Pick<SubscribeOptions, 'group' | 'topics'>): string {
  return `${READER_PREFIX}${group}:${[...topics].toSorted().join(',')}`;
}
