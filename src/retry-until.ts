import pRetry from 'p-retry';

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
export function retryUntilDone<Result>(
  attempt: () => Promise<Result>,
  { delayMs, signal, isTemporary, onFailure = () => {} }: RetryOptions,
): Promise<Result> {
  return pRetry(attempt, {
    signal,
    retries: Infinity,
    minTimeout: delayMs,
    factor: 1,
    shouldRetry: ({ error, attemptNumber }) => {
      if (!isTemporary(error)) return false;
      onFailure(error, attemptNumber === 1);
      return true;
    },
  });
}
