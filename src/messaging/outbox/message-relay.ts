import type { SystemDb } from '../../postgres/client.ts';
import { parkDeadLetter } from '../dead-letters/dead-letters.ts';
import { readerLagMs } from '../log/log-lag.ts';
import { startLogReader, type LogReader } from '../log/log-reader.ts';
import { parkingCause, PoisonError, type Bus, type BusMessage } from '../bus.ts';
import { pause } from '../delivery.ts';
import { MESSAGE_OUTBOX, MESSAGE_RELAY, OUTBOX_PARTITIONS } from './message-outbox.ts';
import { inPublishSpans } from './publish-spans.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** What the relay is built from. */
export interface MessageRelayOptions {
  readonly system: SystemDb;
  readonly bus: Pick<Bus, 'publish'>;
  readonly pollMs: number;
  /** How long the partitions of a process that died wait for another; 10 s. */
  readonly leaseMs?: number;
  /** Called with the numbers of published and parked messages, for metrics. */
  readonly onRelayed?: (relayed: { published: number; parked: number }) => void;
  /** Called with failures that are retried by themselves. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Publishes the message outbox, in order in each partition and at least once, retrying without limit; any number of
 * processes may run it.
 */
export function startMessageRelay(options: MessageRelayOptions): LogReader {
  const { system, pollMs, leaseMs, onError = () => {} } = options;
  return startLogReader({
    pool: system.pool,
    reader: MESSAGE_RELAY,
    log: MESSAGE_OUTBOX,
    columns: ['tenant_id', 'message_id', 'topic', 'key', 'payload', 'trace_context'],
    partitions: OUTBOX_PARTITIONS,
    pollMs,
    onError,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    handle: (rows, signal) =>
      relay(
        options,
        rows.map((row) => ({
          tenantId: row.tenant_id,
          messageId: row.message_id,
          topic: row.topic,
          key: row.key,
          payload: row.payload,
          ...traceOf(row),
        })),
        signal,
      ),
  });
}

/** The column is empty for what belongs to no trace. */
function traceOf({ trace_context: traceparent }: { trace_context: string | null }): { traceparent?: string } {
  return traceparent === null ? {} : { traceparent };
}

/** Age of the oldest message that was not published yet; 0: there is none. */
export function messageRelayLagMs(system: SystemDb): Promise<number> {
  return readerLagMs(system, { reader: MESSAGE_RELAY, log: MESSAGE_OUTBOX });
}

async function relay(
  options: MessageRelayOptions,
  messages: readonly BusMessage[],
  signal: AbortSignal,
): Promise<number> {
  const { onRelayed = () => {} } = options;
  const outcome = await persist(options, signal, async () => {
    await inPublishSpans(messages, () => options.bus.publish(messages));
    onRelayed({ published: messages.length, parked: 0 });
  });
  if (outcome === 'done') return messages.length;
  if (outcome === 'aborted') return 0;
  // One of them is poison: published one at a time, it is found without holding back the others.
  for (const [index, message] of messages.entries()) {
    if ((await relayOne(options, message, signal)) === 'aborted') return index;
  }
  return messages.length;
}

async function relayOne(
  options: MessageRelayOptions,
  message: BusMessage,
  signal: AbortSignal,
): Promise<'done' | 'aborted'> {
  const { onRelayed = () => {} } = options;
  const outcome = await persist(options, signal, async () => {
    await inPublishSpans([message], () => options.bus.publish([message]));
    onRelayed({ published: 1, parked: 0 });
  });
  if (!(outcome instanceof PoisonError)) return outcome;
  const parked = await persist(options, signal, async () => {
    await options.system.acrossTenants((tx) =>
      parkDeadLetter(tx, {
        ...message,
        source: MESSAGE_RELAY,
        type: message.topic,
        ...parkingCause(outcome, 'publish_failed'),
      }),
    );
    onRelayed({ published: 0, parked: 1 });
  });
  return parked === 'done' ? 'done' : 'aborted';
}

/** Tries until `work` is done, is refused as poison, or is aborted. */
async function persist(
  { onError = () => {} }: MessageRelayOptions,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<'done' | 'aborted' | PoisonError> {
  for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      await work();
      return 'done';
    } catch (error) {
      if (error instanceof PoisonError) return error;
      onError(error);
      await pause(delayMs, signal);
    }
  }
  return 'aborted';
}
