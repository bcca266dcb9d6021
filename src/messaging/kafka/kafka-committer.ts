import { pause } from '../delivery.ts';
import type { Share } from './kafka-group.ts';

const RETRY_MS = 500;

/** A partition. */
interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** Moves the group's places as work is done. */
export interface Committer {
  /** Everything of the partition before `offset` is done with. */
  done(partition: Partition, offset: bigint): void;
  /** Resolves when what is done has been committed, or can't be any more. */
  finish(): Promise<void>;
}

/** Commits one request after the other, the newest place of each partition, so that an older one can't arrive later. */
export function createCommitter({ share, onError }: { share: Share; onError: (error: unknown) => void }): Committer {
  const places = new Map<string, Partition & { offset: bigint }>();
  let writing: Promise<void> | undefined;

  /** False: it is still to be committed. */
  async function commitOnce(): Promise<boolean> {
    const taken = [...places];
    places.clear();
    try {
      await share.commit(taken.map(([, place]) => place));
      return true;
    } catch (error) {
      onError(error);
      for (const [name, place] of taken) if (!places.has(name)) places.set(name, place);
      return false;
    }
  }

  async function commitAll(): Promise<void> {
    while (places.size > 0) {
      if (await commitOnce()) continue;
      if (share.signal.aborted) return;
      await pause(RETRY_MS, share.signal);
    }
  }

  const start = (): Promise<void> =>
    (writing ??= commitAll().finally(() => {
      writing = undefined;
    }));
  return {
    done: ({ topic, partition }, offset) => {
      places.set(`${topic}:${partition}`, { topic, partition, offset });
      void start();
    },
    finish: async () => {
      await writing;
      if (places.size > 0) await commitOnce();
    },
  };
}
