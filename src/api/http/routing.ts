import type { RequestHandler } from 'express';
import { nameRoute } from './middleware/metrics.ts';
import { Problem } from './problem.ts';

/** Options of every router: an address has one spelling, which is the one that a proxy or a key is bound to. */
export const STRICT_ROUTING = { caseSensitive: true, strict: true } as const;

/** Answers a method that a known address does not have; `methods` are those that it has. */
export function refuseMethod(path: string, methods: readonly string[]): RequestHandler {
  const allowed = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
  return (_request, response) => {
    nameRoute(response, path);
    response.set('Allow', allowed);
    throw new Problem('method_not_allowed');
  };
}
