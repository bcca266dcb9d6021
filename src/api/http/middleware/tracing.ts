import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { asSpan, startSpan } from '../../../telemetry/trace-context.ts';
import { routeOf } from './metrics.ts';

const SILENT = /^\/(healthz|readyz|metrics)$/;

/**
 * Runs every request in a span, under the caller's `traceparent`; it is named after the route, and holds no address.
 */
export const traceRequests: RequestHandler = (request, response, next) => {
  if (SILENT.test(request.path)) return next();
  const { method } = request;
  const span = startSpan(method, {
    kind: SpanKind.SERVER,
    parent: request.get('traceparent'),
    attributes: { 'http.request.method': method },
  });
  response.once('close', () => {
    const route = routeOf(response);
    if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route);
    span.setAttribute('http.response.status_code', response.statusCode);
    if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  asSpan(span, next);
};
