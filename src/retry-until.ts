import { setTimeout as wait } from 'node:timers/promises';

/** When to try again, and whom to tell. */
export interface RetryOptions {
  readonly delayMs: number;
  /** Aborted: the wait ends by its reason. */
  readonly signal: AbortSignal;
  /** Whether time may cure it; what it won't cure is thrown on. */
  readonly isTemporary: (error: unknown) => boolean;
  /** Hears of each failure that is tried again, of the first with `isFirst`. */
  readonly onFailure?: (error: unknown, isFirst: boolean) => void;
}

/** Calls `attempt` until it resolves or fails for good. */
export async function retryUntilDone<Result>(
  attempt: () => Promise<Result>,
  { delayMs, signal, isTemporary, onFailure = () => {} }: RetryOptions,
): Promise<Result> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isTemporary(error)) throw error;
      onFailure(error, isFirst);
      await wait(delayMs, undefined, { signal });
    }
  }
}
