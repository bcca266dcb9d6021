import type { RequestHandler, Response } from 'express';
import { Counter, Histogram, type Registry } from 'prom-client';

const routes = new WeakMap<Response, string>();

/**
 * Records which route answers, for the metrics, as its pattern: paths with ids in them would be unbounded label values.
 */
export function nameRoute(response: Response, pattern: string): void {
  routes.set(response, pattern);
}

/** The route that answers; undefined: none does. */
export function routeOf(response: Response): string | undefined {
  return routes.get(response);
}

/** Counts and times every request. */
export function httpMetrics(registry: Registry): RequestHandler {
  const labelNames = ['method', 'route', 'status'] as const;
  const total = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered.',
    labelNames,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to answer.',
    labelNames,
    registers: [registry],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const labels = {
        method: request.method,
        route: routeOf(response) ?? 'none',
        status: String(response.statusCode),
      };
      total.inc(labels);
      // How long a stream stayed open is no waiting time
      if (response.getHeader('Content-Type') === 'text/event-stream') return;
      seconds.observe(labels, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}
