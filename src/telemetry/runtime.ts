import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { assertNever } from '../domain/shared/assert-never.ts';
import { freeLoopbackPort } from './free-port.ts';

const READ_TIMEOUT_MS = 3_000;

/**
 * Installs the SDK's runtime, once a process and before any worker: its logs and the native core's go to `logger`, its
 * metrics to a free port of the loopback interface, under names that end in `_total` and `_seconds`. `sdkMetrics` reads
 * them; without an answer there it gives nothing, since ours are still worth a scrape.
 */
export async function installRuntime(
  { LOG_LEVEL }: Pick<Config, 'LOG_LEVEL'>,
  logger: Logger,
): Promise<{ sdkMetrics: () => Promise<string> }> {
  const port = await freeLoopbackPort();
  Runtime.install({
    logger: new DefaultLogger(sdkLevel(LOG_LEVEL), (entry) => forward(logger, entry)),
    shutdownSignals: [], // the worker process stops its parts itself, in order
    telemetryOptions: {
      logging: { forward: {}, filter: { core: sdkLevel(LOG_LEVEL) === 'DEBUG' ? 'DEBUG' : 'WARN', other: 'ERROR' } },
      metrics: {
        prometheus: {
          bindAddress: `127.0.0.1:${port}`,
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
        },
      },
    },
  });
  return { sdkMetrics: () => read(`http://127.0.0.1:${port}/metrics`, logger) };
}

async function read(url: string, logger: Logger): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    return await response.text();
  } catch (error) {
    logger.warn({ err: error }, 'the SDK did not give its metrics');
    return '';
  }
}

function sdkLevel(level: Config['LOG_LEVEL']): LogEntry['level'] {
  switch (level) {
    case 'trace':
      return 'TRACE';
    case 'debug':
      return 'DEBUG';
    case 'info':
      return 'INFO';
    case 'warn':
      return 'WARN';
    case 'error':
    case 'silent':
      return 'ERROR';
    default:
      return assertNever(level);
  }
}

/** Writes one record of the SDK into our log. */
function forward(logger: Logger, { level, message, meta }: LogEntry): void {
  const { error, ...fields } = meta ?? {};
  const record = error === undefined ? fields : { ...fields, err: error };
  switch (level) {
    case 'TRACE':
      return logger.trace(record, message);
    case 'DEBUG':
      return logger.debug(record, message);
    case 'INFO':
      return logger.info(record, message);
    case 'WARN':
      return logger.warn(record, message);
    case 'ERROR':
      return logger.error(record, message);
    default:
      return assertNever(level);
  }
}
