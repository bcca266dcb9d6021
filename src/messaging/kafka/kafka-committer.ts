import { pause } from '../delivery.ts';
import type { Assignment } from './kafka-assignment.ts';

const RETRY_MS = 500;

/** A partition. */
interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** Moves the group's offsets as work is done. */
export interface Committer {
  /** Everything of the partition before `offset` is done with. */
  done(partition: Partition, offset: bigint): void;
  /** Resolves when what is done has been committed, or can't be any more. */
  finish(): Promise<void>;
}

/** What a committer needs. */
interface CommitterOptions {
  readonly assignment: Assignment;
  readonly onError: (error: unknown) => void;
}

/** Commits one request after the other, each partition's newest offset, so that an older one can't arrive later. */
export function createCommitter({ assignment, onError }: CommitterOptions): Committer {
  const offsets = new Map<string, Partition & { offset: bigint }>();
  let writing: Promise<void> | undefined;

  /** False: it is still to be committed. */
  async function commitOnce(): Promise<boolean> {
    const taken = [...offsets];
    offsets.clear();
    try {
      await assignment.commit(taken.map(([, offset]) => offset));
      return true;
    } catch (error) {
      onError(error);
      for (const [name, offset] of taken) if (!offsets.has(name)) offsets.set(name, offset);
      return false;
    }
  }

  async function commitAll(): Promise<void> {
    while (offsets.size > 0) {
      if (await commitOnce()) continue;
      if (assignment.revoked.aborted) return;
      await pause(RETRY_MS, assignment.revoked);
    }
  }

  const start = (): Promise<void> =>
    (writing ??= commitAll().finally(() => {
      writing = undefined;
    }));
  return {
    done: ({ topic, partition }, offset) => {
      offsets.set(`${topic}:${partition}`, { topic, partition, offset });
      void start();
    },
    finish: async () => {
      await writing;
      if (offsets.size > 0) await commitOnce();
    },
  };
}
