import type { CopyKey } from './copy.ts';
import { CLAIM_MS, pauseAfterMs, type DeletionStore, type KeptDeletion } from './kept-deletions.ts';

/** Keeps deletions that are not done as long as the process lives. */
export function createMemoryDeletions(): DeletionStore {
  const kept = new Map<string, KeptDeletion>();
  return {
    keep: async (user) => {
      const before = kept.get(keyOf(user));
      const attempts = (before?.attempts ?? 0) + 1;
      const isAsked = user.isAsked || (before?.user.isAsked ?? false);
      kept.set(keyOf(user), {
        user: { ...user, isAsked },
        attempts,
        dueAt: new Date(Date.now() + pauseAfterMs(attempts)),
      });
    },
    claim: async (limit) => {
      const due = [...kept.values()].filter(({ dueAt }) => dueAt.getTime() <= Date.now()).slice(0, limit);
      for (const one of due) kept.set(keyOf(one.user), { ...one, dueAt: new Date(Date.now() + CLAIM_MS) });
      return due.map(({ user }) => user);
    },
    done: async (key) => {
      kept.delete(keyOf(key));
    },
    list: async () => [...kept.values()],
    replay: async () => {
      for (const [key, one] of kept) kept.set(key, { ...one, dueAt: new Date() });
    },
  };
}

function keyOf({ tenantId, userId }: CopyKey): string {
  return JSON.stringify([tenantId, userId]);
}
