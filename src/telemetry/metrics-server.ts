import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { listen } from './listen.ts';

/** What a process shows to those who watch it. */
export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The setting that the port is from, for the message when it is taken. */
  readonly setting: string;
  /** What `/metrics` answers, in the format of Prometheus. */
  readonly metricsText: () => Promise<string>;
  /** Whether the worker polls for tasks, for `/healthz`; left out, there is no such address. */
  readonly isPolling?: () => boolean;
  readonly logger: Logger;
}

/** Who watches asks at once; whoever is slower is not one of them. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Serves `/metrics`, and `/healthz` (200 while the worker polls, else 503), on a port of its own, so that neither is
 * where callers of the API are.
 */
export async function startMetricsServer(
  options: MetricsServerOptions,
): Promise<{ port: number; close: () => Promise<void> }> {
  const metricsText = shared(options.metricsText);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer({ ...options, metricsText }, request, response).catch((error: unknown) => {
      options.logger.warn({ err: error }, 'the metrics were not given');
      response.writeHead(500).end();
    });
  });
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port for metrics');
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
  { isPolling, metricsText }: MetricsServerOptions,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = url.split('?', 1)[0];
  if (path !== '/metrics' && (path !== '/healthz' || isPolling === undefined)) {
    response.writeHead(404).end();
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (path === '/metrics') {
    const text = await metricsText();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
  } else {
    const polls = isPolling?.() === true;
    response
      .writeHead(polls ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: polls ? 'ok' : 'not polling' }));
  }
}

/** One reading for all who ask while it is under way. */
function shared(read: () => Promise<string>): () => Promise<string> {
  let reading: Promise<string> | undefined;
  return () => {
    const current = reading ?? read();
    reading = current;
    return current.finally(() => {
      if (reading === current) reading = undefined;
    });
  };
}
