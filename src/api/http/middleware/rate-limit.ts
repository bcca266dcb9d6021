import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { callerOf } from './authentication.ts';
import { Problem } from '../problem.ts';

/** Limits requests a minute at one API process: by caller, or by address where the token is missing or invalid. */
export function rateLimiter(perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => {
      const caller = callerOf(request);
      return caller === undefined ? `ip ${ipKeyGenerator(request.ip ?? '')}` : `${caller.tenantId} ${caller.subject}`;
    },
    handler: (_request, _response, next) => next(new Problem('rate_limited')), // it has set Retry-After
  });
}
