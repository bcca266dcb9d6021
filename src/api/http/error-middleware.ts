import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { isDatabaseAway } from '../../postgres/errors.ts';
import { temporalOutage } from '../../temporal/errors.ts';
import { ERRORS } from './error-catalogue.ts';
import { Problem, problemBody } from './problem.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { send } from './send.ts';

/** The problem that a caller gets for `error`; `internal_error` for anything unexpected. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (temporalOutage(error) !== undefined) return new Problem('temporal_unavailable', { cause: error });
  if (isDatabaseAway(error)) return new Problem('database_unavailable', { cause: error });
  return unreadableRequest(error) ?? new Problem('internal_error', { cause: error });
}

function sendProblem(response: Response, problem: Problem): void {
  const { status } = ERRORS[problem.code];
  if (problem.retryAfterSeconds !== undefined) response.set('Retry-After', String(problem.retryAfterSeconds));
  if (problem.challenge !== undefined) response.set('WWW-Authenticate', problem.challenge);
  send(response, { status, body: JSON.stringify(problemBody(problem, requestIdOf(response))) });
}

/** The one place where errors become answers. Logs hold what kind of error it was, never the values of the request. */
export function errorMiddleware(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const problem = toProblem(error);
    if (ERRORS[problem.code].status >= 500) {
      log[problem.code === 'internal_error' ? 'error' : 'warn'](
        { requestId: requestIdOf(response), code: problem.code, ...describe(problem.cause) },
        'a request failed',
      );
    }
    if (response.headersSent) return next(error);
    sendProblem(response, problem);
  };
}

// Express and body-parser mark what the client did wrong with a status, and body-parser with a type.
function unreadableRequest(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const type = 'type' in error ? error.type : undefined;
  if (error.status === 413) return new Problem('body_too_large');
  if (error.status === 415) return new Problem('unsupported_media_type');
  if (type === 'entity.parse.failed') return new Problem('malformed_json');
  return error.status >= 400 && error.status < 500 ? new Problem('bad_request') : undefined;
}

// Messages of Prisma and PostgreSQL quote values of rows, so of an unknown error only name, code and stack are logged.
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return {};
  const isOurs = /^(Error|TypeError|RangeError)$/.test(error.name);
  return {
    error: error.name,
    ...('code' in error ? { errorCode: error.code } : {}),
    ...(isOurs ? { message: error.message } : {}),
    at: error.stack
      ?.split('\n')
      .filter((line) => line.startsWith('    at '))
      .slice(0, 8)
      .map((line) => line.trim()),
  };
}
