import { setTimeout as wait } from 'node:timers/promises';

/** Calls `attempt` until it resolves, with `delayMs` in between; `onFailure` hears of each rejection, the first with `isFirst`. */
export async function retryUntilDone<Result>(
  attempt: () => Promise<Result>, { delayMs, signal, onFailure }: { delayMs: number; signal: AbortSignal; onFailure: (error: unknown, isFirst: boolean) => void },
): Promise<Result> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error, isFirst);
      await wait(delayMs, undefined, { signal });
    }
  }
}
