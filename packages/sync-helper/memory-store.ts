import type { CopyStore, HeldCopy } from './copy-store.ts';
import { createMemoryDeletions } from './memory-deletions.ts';

/**
 * A store that ends with the process, for tests and for services that keep their copies in memory. Its context is
 * undefined.
 */
export function createMemoryStore(): CopyStore<undefined> {
  const copies = new Map<string, HeldCopy>();
  const turns = new Map<string, Promise<unknown>>();
  return {
    deletions: createMemoryDeletions(),
    withCopy: async ({ tenantId, userId }, work) => {
      const key = JSON.stringify([tenantId, userId]);
      const turn = (turns.get(key) ?? Promise.resolve())
        .catch(() => {})
        .then(async () => {
          const { result, next } = await work(copies.get(key), undefined);
          if (next !== undefined) copies.set(key, next);
          return result;
        });
      turns.set(key, turn);
      try {
        return await turn;
      } finally {
        if (turns.get(key) === turn) turns.delete(key);
      }
    },
  };
}
