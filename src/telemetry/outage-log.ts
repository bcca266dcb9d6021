import type { Logger } from 'pino';

/** Tells of an outage when it begins and when it is over, however often something is tried in between. */
export interface OutageLog {
  /** Something failed that is tried again; `details` goes into the line. */
  failed(error: unknown, details?: Readonly<Record<string, unknown>>): void;
  /** It works. */
  succeeded(): void;
}

/** How an outage is told. */
export interface OutageLogOptions {
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** What failed, as the line says it. */
  readonly message: string;
  /** Of the first failure; the others are `debug`. */
  readonly level?: 'warn' | 'error';
  /** Without a failure for this long the outage counts as over, for those who see failures alone. */
  readonly quietMs?: number;
}

interface Outage {
  readonly sinceMs: number;
  lastMs: number;
  failures: number;
}

/** Makes the log of one thing that can be out of order. */
export function createOutageLog({ logger, message, level = 'warn', quietMs }: OutageLogOptions): OutageLog {
  let outage: Outage | undefined;
  let quiet: NodeJS.Timeout | undefined;

  const succeeded = (): void => {
    clearTimeout(quiet);
    if (outage === undefined) return;
    const { failures, sinceMs, lastMs } = outage;
    outage = undefined;
    // A warning as well, so that whoever saw the first line sees this one.
    logger.warn({ failures, durationMs: (quietMs === undefined ? Date.now() : lastMs) - sinceMs }, `over: ${message}`);
  };

  return {
    succeeded,
    failed: (error, details = {}) => {
      const isFirst = outage === undefined;
      outage ??= { sinceMs: Date.now(), lastMs: 0, failures: 0 };
      outage.lastMs = Date.now();
      outage.failures += 1;
      logger[isFirst ? level : 'debug']({ ...details, err: error }, message);
      clearTimeout(quiet);
      if (quietMs !== undefined) quiet = setTimeout(succeeded, quietMs).unref();
    },
  };
}
