import type { Request, RequestHandler } from 'express';
import type { Caller } from '../../../auth/roles.ts';
import type { TokenVerifier, Verification } from '../../../auth/tokens.ts';
import { Problem } from '../problem.ts';

const verifications = new WeakMap<Request, Verification>();

/** Looks at the request's token without judging yet: the rate limit and public routes come before the judgement. */
export function authentication(verifyToken: TokenVerifier): RequestHandler {
  return async (request, _response, next) => {
    const token = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '')?.[1];
    if (token !== undefined) verifications.set(request, await verifyToken(token));
    next();
  };
}

/** Who sends the request, when its token is valid. */
export function callerOf(request: Request): Caller | undefined {
  const verification = verifications.get(request);
  return verification?.kind === 'caller' ? verification.caller : undefined;
}

/** Who sends the request; without a valid token it fails. */
export function requireCaller(request: Request): Caller {
  const verification = verifications.get(request);
  switch (verification?.kind) {
    case 'caller':
      return verification.caller;
    case 'unreachable':
      throw new Problem('identity_provider_unavailable');
    case 'invalid':
      throw new Problem('unauthenticated', { detail: verification.reason });
    default:
      throw new Problem('unauthenticated');
  }
}
