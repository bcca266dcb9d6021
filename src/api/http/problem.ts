import { z } from 'zod';
import { ERRORS, type ErrorCode } from './error-catalogue.ts';

/** One value of the request that is wrong. */
export interface FieldError {
  /** Where it is: `body.email`, `query.limit`, `body.items[0].sku`. */
  readonly field: string;
  readonly message: string;
}

/** An expected failure on its way to the caller. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** What `WWW-Authenticate` says (RFC 6750). */
  readonly challenge: string | undefined;

  constructor(
    code: ErrorCode,
    more: {
      detail?: string;
      errors?: readonly FieldError[];
      retryAfterSeconds?: number;
      challenge?: string;
      cause?: unknown;
    } = {},
  ) {
    super(code, { cause: more.cause });
    this.code = code;
    this.detail = more.detail ?? ERRORS[code].detail;
    this.errors = more.errors;
    this.challenge = more.challenge ?? (ERRORS[code].status === 401 ? 'Bearer' : undefined);
    this.retryAfterSeconds = more.retryAfterSeconds ?? (ERRORS[code].status === 503 ? 5 : undefined);
  }
}

/** Body of an `application/problem+json` answer (RFC 9457). */
export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: 'Where the error is explained, relative to the API' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The request id, which the logs carry too' }),
    code: z.string().meta({ description: 'What to branch on' }),
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed later' }),
    errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'An error, as RFC 9457 has it' });

export type ProblemBody = z.output<typeof problemSchema>;

/** The body that tells a caller about `problem`. */
export function problemBody(
  { code, detail, errors }: Pick<Problem, 'code' | 'detail' | 'errors'>,
  requestId: string,
): ProblemBody {
  const { status, title, retryable } = ERRORS[code];
  return {
    type: `/docs/errors#${code}`,
    title,
    status,
    detail,
    instance: `urn:request:${requestId}`,
    code,
    retryable,
    ...(errors === undefined ? {} : { errors: errors.map(({ field, message }) => ({ field, message })) }),
  };
}

/** A place as people write it. */
function placeOf(part: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (place, key) => (typeof key === 'number' ? `${place}[${key}]` : `${place}.${String(key)}`),
    part,
  );
}

const MOST_ERRORS = 20;
const LONGEST_MESSAGE = 300;

/** The problem that values of the request's `part` are wrong, from the first of what zod found. */
export function validationProblem(part: 'body' | 'params' | 'query', issues: readonly z.core.$ZodIssue[]): Problem {
  return new Problem('validation_failed', {
    errors: issues.slice(0, MOST_ERRORS).map(({ path, message }) => ({
      field: placeOf(part, path).slice(0, LONGEST_MESSAGE),
      message: message.slice(0, LONGEST_MESSAGE).toWellFormed(),
    })),
  });
}
