import { setTimeout as sleep } from 'node:timers/promises';
import { PoisonError, type BusMessage, type MessageHandler, type SubscribeOptions } from './bus.ts';

const PARKING_RETRY_MS = 1_000;
const AWAY_RETRY_MS = 1_000;
/** Most messages in a batch. When one of them fails, each is handled again by itself. */
const BATCH_SIZE = 100;

/** What became of one attempt to deliver; for metrics. */
export type DeliveryOutcome = 'done' | 'failed' | 'parked' | 'parking_failed';

/** What delivery is given. */
export interface Delivery {
  readonly handle: MessageHandler;
  readonly handleBatch?: SubscribeOptions['handleBatch'];
  /** Puts a message among the dead letters. */
  readonly park: (message: BusMessage, error: unknown) => Promise<void>;
  readonly retryDelaysMs: readonly number[];
  /**
   * Whether an error means that what the handler needs (its database, say) is away: the attempt then does not count.
   * Default: never.
   */
  readonly isInfrastructureAway?: (error: unknown) => boolean;
  readonly observe: (message: BusMessage, outcome: DeliveryOutcome, error?: unknown) => void;
  /** Aborted: nothing more is begun. */
  readonly signal: AbortSignal;
}

/**
 * Delivers messages, those of one key in order: in batches where the handler takes them, else different keys at the
 * same time. Returns how many, counted from the first, are done with: handled or parked.
 */
export async function deliverAll(messages: readonly BusMessage[], delivery: Delivery): Promise<number> {
  if (delivery.handleBatch === undefined) return deliverEach(messages, delivery);
  for (let done = 0; done < messages.length;) {
    const batch = messages.slice(done, done + BATCH_SIZE);
    const count = (await hadEffect(batch, delivery)) ? batch.length : await deliverEach(batch, delivery);
    done += count;
    if (count < batch.length) return done;
  }
  return messages.length;
}

/**
 * Whether the batch was handled as a whole; if not, its messages are delivered one by one, which shows which of them
 * fails.
 */
async function hadEffect(batch: readonly BusMessage[], { handleBatch, observe, signal }: Delivery): Promise<boolean> {
  if (handleBatch === undefined || batch.length === 1 || signal.aborted) return false;
  try {
    await handleBatch(batch);
  } catch {
    return false;
  }
  for (const message of batch) observe(message, 'done');
  return true;
}

async function deliverEach(messages: readonly BusMessage[], delivery: Delivery): Promise<number> {
  const isDone = messages.map(() => false);
  const byKey = Map.groupBy(messages.keys(), (index) => messages[index]!.key);
  await Promise.all(
    [...byKey.values()].map(async (indexes) => {
      for (const index of indexes) {
        isDone[index] = await deliver(messages[index]!, delivery);
        if (!isDone[index]) return;
      }
    }),
  );
  const first = isDone.indexOf(false);
  return first === -1 ? messages.length : first;
}

/** Delivers or parks one message; false: aborted before either. */
async function deliver(message: BusMessage, delivery: Delivery): Promise<boolean> {
  const { park, observe, signal } = delivery;
  while (!signal.aborted) {
    const attempt = await attempts(message, delivery);
    if (attempt.isDone) return true;
    if (signal.aborted) return false;
    try {
      await park(message, attempt.error);
      observe(message, 'parked', attempt.error);
      return true;
    } catch (error) {
      // Parking may fail for the reason for which the handler failed (the database is away): then the message is
      // retried.
      observe(message, 'parking_failed', error);
      await pause(PARKING_RETRY_MS, signal);
    }
  }
  return false;
}

async function attempts(
  message: BusMessage,
  { handle, retryDelaysMs, isInfrastructureAway = () => false, observe, signal }: Delivery,
): Promise<{ isDone: true } | { isDone: false; error: unknown }> {
  for (let retry = 0; ;) {
    try {
      await handle(message);
      observe(message, 'done');
      return { isDone: true };
    } catch (error) {
      observe(message, 'failed', error);
      // An outage is no failure of the message: counted as attempts, a long one would park every message.
      const isAway = !(error instanceof PoisonError) && isInfrastructureAway(error);
      const delayMs = isAway ? AWAY_RETRY_MS : retryDelaysMs[retry];
      if (error instanceof PoisonError || delayMs === undefined) return { isDone: false, error };
      if (!isAway) retry += 1;
      await pause(delayMs, signal);
      if (signal.aborted) return { isDone: false, error };
    }
  }
}

/** Waits; ends early, without an error, when aborted. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, { signal }).catch(() => {});
}
