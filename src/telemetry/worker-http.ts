import { createServer, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** What the worker shows to the outside. */
export interface WorkerHttpOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Whether the worker polls for tasks. */
  readonly isPolling: () => boolean;
  /** Our metrics. */
  readonly metricsText: () => Promise<string>;
  /** Where the SDK exposes its own. */
  readonly sdkMetricsUrl: string;
  readonly logger: Logger;
}

const SDK_TIMEOUT_MS = 3_000;

/** Serves `/healthz` (200 while the worker polls, else 503) and `/metrics` (ours, then the SDK's). */
export async function startWorkerHttp(
  options: WorkerHttpOptions,
): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(options, request.url ?? '', response).catch((error: unknown) => {
      options.logger.warn({ err: error }, 'a request to the worker failed');
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, options.host, resolve),
  );
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the worker listens on no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { isPolling, metricsText, sdkMetricsUrl, logger }: WorkerHttpOptions,
  url: string,
  response: ServerResponse,
): Promise<void> {
  const path = url.split('?', 1)[0];
  if (path === '/healthz') {
    const polls = isPolling();
    response
      .writeHead(polls ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: polls ? 'ok' : 'not polling' }));
  } else if (path === '/metrics') {
    const text = `${await metricsText()}\n${await sdkMetrics(sdkMetricsUrl, logger)}`;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
  } else {
    response.writeHead(404).end();
  }
}

/** The SDK's metrics; without them ours are still worth a scrape. */
async function sdkMetrics(url: string, logger: Logger): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SDK_TIMEOUT_MS) });
    return await response.text();
  } catch (error) {
    logger.warn({ err: error }, 'the SDK did not give its metrics');
    return '';
  }
}
