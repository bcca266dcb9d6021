import { createHash, randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Caller } from '../../auth/roles.ts';
import {
  beginIdempotent,
  finishIdempotent,
  releaseIdempotent,
  type IdempotencyClaim,
} from '../../db/http/idempotency-keys.ts';
import type { ApiDeps } from './deps.ts';
import { ERRORS } from './error-catalogue.ts';
import { toProblem } from './error-middleware.ts';
import { Problem, problemBody } from './problem.ts';
import { requestIdOf } from './middleware/request-id.ts';
import type { Reply } from './route.ts';
import { send } from './send.ts';

/** An `Idempotency-Key` and what it is bound to. */
export interface IdempotencyKey {
  /** Subject, method and path, the path in its one spelling. */
  readonly scope: string;
  readonly key: string;
  /** Digest of body and query, whatever the order of their members: the same key with another one is answered 422. */
  readonly fingerprint: string;
  /** Identifies the effect where it is carried out, as the id of an Update or a workflow. */
  readonly effectId: string;
}

/** What an `Idempotency-Key` is. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** Longer than any request may take, so that a claim lapses only when its process has died. */
const LOCK_MARGIN_MS = 60_000;

/** Reads the request's `Idempotency-Key`, if it has one. */
export function readIdempotencyKey(
  request: Request,
  { caller: { subject, tenantId }, path }: { readonly caller: Caller; readonly path: string },
): IdempotencyKey | undefined {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw new Problem('validation_failed', {
      errors: [
        { field: 'headers.Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters without spaces' },
      ],
    });
  }
  const scope = `${subject} ${request.method} ${path}`;
  const fingerprint = digest(canonicalJson([request.body ?? null, request.query]));
  return { scope, key, fingerprint, effectId: asUuid(digest(JSON.stringify([tenantId, scope, key, fingerprint]))) };
}

/**
 * Carries out `work` once for its key and answers repetitions with what was answered first. Answers of 5xx, and those
 * after which the same request may succeed, are not kept.
 */
export async function withIdempotency({
  key,
  deps,
  tenantId,
  work,
  response,
}: {
  key: IdempotencyKey;
  deps: ApiDeps;
  tenantId: string;
  work: () => Promise<Reply>;
  response: Response;
}): Promise<void> {
  const {
    db: { pool },
    config,
  } = deps;
  const claim: IdempotencyClaim = {
    tenantId,
    ...key,
    token: randomUUID(),
    lockMs: config.COMMAND_TIMEOUT_MS + LOCK_MARGIN_MS,
    keepHours: config.IDEMPOTENCY_KEY_HOURS,
  };
  const begun = await beginIdempotent(pool, claim);
  switch (begun.kind) {
    case 'other_body':
      throw new Problem('idempotency_key_reused');
    case 'in_progress':
      throw new Problem('idempotency_in_progress', { retryAfterSeconds: 1 });
    case 'answered':
      return send(response, {
        status: begun.status,
        body: begun.body,
        headers: { ...begun.headers, 'Idempotency-Replayed': 'true' },
      });
    case 'begun':
      break;
  }
  const answer = await answerToKeep(work, requestIdOf(response)).catch(async (error: unknown) => {
    await releaseIdempotent(pool, claim).catch(() => undefined); // it lapses by itself
    throw error;
  });
  // The effect has happened. Without the kept answer a repetition is carried out again, and every effect is idempotent.
  await finishIdempotent(pool, claim, answer).catch((error: unknown) => {
    deps.log.warn(
      { requestId: requestIdOf(response), error: error instanceof Error ? error.name : 'unknown' },
      'an answer could not be kept for its Idempotency-Key',
    );
  });
  send(response, answer);
}

interface KeptAnswer {
  readonly status: number;
  readonly body: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

async function answerToKeep(work: () => Promise<Reply>, requestId: string): Promise<KeptAnswer> {
  try {
    const { status, body, headers } = await work();
    return { status, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  } catch (error) {
    const problem = toProblem(error);
    const { status, retryable } = ERRORS[problem.code];
    if (status >= 500 || retryable) throw problem;
    return { status, body: JSON.stringify(problemBody(problem, requestId)) };
  }
}

/** JSON in which the members of objects are in the order of their names; for values that are not nested deeply. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

// A UUID of version 8, whose bits the application chooses.
function asUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
