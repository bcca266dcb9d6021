import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

const HEADER = 'X-Request-Id';
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** Gives every request an id, its `X-Request-Id` if that is well-formed, and answers it. */
export const requestId: RequestHandler = (request, response, next) => {
  const given = request.get(HEADER);
  response.set(HEADER, given !== undefined && SANE.test(given) ? given : randomUUID());
  next();
};

/** The id of the request that `response` answers. */
export function requestIdOf(response: Response): string {
  return String(response.getHeader(HEADER) ?? '');
}
