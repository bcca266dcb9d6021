import type { Consumer } from '@platformatic/kafka';
import { pause } from '../delivery.ts';
import { isOutOfGroup } from './kafka-connection.ts';
import type { KafkaTopics } from './kafka-topics.ts';

const RETRY_MS = 500;

/** What membership needs. */
export interface MembershipOptions {
  readonly consumer: Consumer;
  readonly topics: KafkaTopics;
  readonly wanted: readonly string[];
  /** How often topics and their partitions are looked at. */
  readonly lookMs: number;
  readonly onError: (error: unknown) => void;
  readonly stopping: AbortSignal;
}

/** A consumer's place in its group. */
export interface Membership {
  /** Joins, and again when topics and partitions come and go and after any failure, until stopped. */
  keep(): Promise<void>;
  /** Has the group joined again soon. */
  rejoin(): void;
}

/** The membership of a consumer that has not joined yet. */
export function createMembership({
  consumer,
  topics,
  wanted,
  lookMs,
  onError,
  stopping,
}: MembershipOptions): Membership {
  let isToJoin = true;
  let wakeUp = (): void => {};

  /** Joins if need be; what it returns changes when the topics do. */
  async function join(known: string): Promise<string> {
    const partitions = await topics.ensure(wanted);
    const found = JSON.stringify([...partitions]);
    if ((!isToJoin && found === known) || stopping.aborted) return found;
    trackOnly(consumer, partitions);
    isToJoin = false;
    if (partitions.size > 0) await consumer.joinGroup();
    return found;
  }

  return {
    rejoin: () => {
      isToJoin = true;
      wakeUp();
    },
    keep: async () => {
      let known = '';
      while (!stopping.aborted) {
        const woken = new AbortController();
        wakeUp = () => woken.abort();
        const joined = await join(known).catch((error: unknown) => {
          // That the group changed meanwhile is no failure.
          if (!stopping.aborted && !isOutOfGroup(error)) onError(error);
          isToJoin = true;
        });
        known = joined ?? known;
        await pause(isToJoin ? RETRY_MS : lookMs, isToJoin ? stopping : AbortSignal.any([stopping, woken.signal]));
      }
    },
  };
}

function trackOnly({ topics }: Consumer, partitions: ReadonlyMap<string, unknown>): void {
  for (const topic of topics.current) if (!partitions.has(topic)) topics.untrack(topic);
  for (const topic of partitions.keys()) if (!topics.has(topic)) topics.track(topic);
}
