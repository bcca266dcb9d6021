import type { Request, RequestHandler } from 'express';
import type { Caller } from '../../../auth/roles.ts';
import type { KnownCaller } from '../../../auth/token-cache.ts';
import type { TokenVerifier, Verification } from '../../../auth/tokens.ts';
import { Problem } from '../problem.ts';

const verifications = new WeakMap<Request, Verification>();

/** Verifies the request's token and refuses nothing yet: the rate limit and public routes come first. */
export function authentication(verifyToken: TokenVerifier): RequestHandler {
  return async (request, _response, next) => {
    const token = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '')?.[1];
    if (token !== undefined) verifications.set(request, await verifyToken(token));
    next();
  };
}

/** The caller, if the token is valid. */
export function callerOf(request: Request): Caller | undefined {
  const verification = verifications.get(request);
  return verification?.kind === 'caller' ? verification.caller : undefined;
}

/** The caller, and the end of its token; throws a `Problem` without a valid one. */
export function requireCaller(request: Request): KnownCaller {
  const verification = verifications.get(request);
  switch (verification?.kind) {
    case 'caller':
      return verification;
    case 'unreachable':
      throw new Problem('identity_provider_unavailable');
    case 'invalid':
      throw new Problem('unauthenticated', { detail: verification.reason });
    case 'unusable':
      throw new Problem('unusable_claims', { detail: verification.reason });
    default:
      throw new Problem('unauthenticated');
  }
}
