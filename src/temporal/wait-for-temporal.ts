import { ConfigError } from '../config/setting.ts';
import { retryUntilDone, type RetryOptions } from '../retry-until.ts';
import { isTemporalAway } from './errors.ts';

/**
 * Repeats what a process asks of Temporal at its start while Temporal is away; what Temporal refuses is a
 * `ConfigError`.
 */
export async function waitForTemporal<Result>(
  attempt: () => Promise<Result>,
  options: Omit<RetryOptions, 'isTemporary'>,
): Promise<Result> {
  return await retryUntilDone(attempt, { ...options, isTemporary: isTemporalAway }).catch((error: unknown) => {
    if (options.signal.aborted || error instanceof ConfigError) throw error;
    throw new ConfigError(
      `TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE or the credentials: Temporal refuses them (${reasonOf(error)})`,
      { cause: error },
    );
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
