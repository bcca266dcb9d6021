import { setTimeout as sleep } from 'node:timers/promises';
import type { DeletionStore } from './kept-deletions.ts';
import type { DeletedUser } from './user-events.ts';

const LOOK_MS = 1_000;
const LOOK_WHEN_AWAY_MS = 10_000;
const CLAIMED_AT_ONCE = 10;

/** Tries the deletions that are kept whenever they are due, until it is stopped; `stop` waits for the one in hand. */
export function retryDeletions({
  deletions,
  remove,
}: {
  readonly deletions: DeletionStore;
  /** Has the deletion's effect, and keeps it again if that fails. */
  readonly remove: (user: DeletedUser) => Promise<void>;
}): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const ended = run(stopping.signal);

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isAway = await tryDue(signal).then(
        () => false,
        // The store or the bus; the bus tells of it, and what was claimed comes again.
        () => true,
      );
      // Looking alone is no reason for a process to stay.
      await sleep(isAway ? LOOK_WHEN_AWAY_MS : LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async function tryDue(signal: AbortSignal): Promise<void> {
    for (const user of await deletions.claim(CLAIMED_AT_ONCE)) {
      if (signal.aborted) return;
      await remove(user);
    }
  }

  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
