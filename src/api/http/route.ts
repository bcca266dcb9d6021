import type { Writable } from 'node:stream';
import { z } from 'zod';
import type { Caller, Role } from '../../auth/roles.ts';
import type { Scope } from '../../auth/scopes.ts';
import type { OwnUser } from '../../db/users/users.ts';
import type { ApiDeps } from './deps.ts';
import type { ErrorCode } from './error-catalogue.ts';
import { Problem, validationProblem } from './problem.ts';
import { findUnstorableText } from '../../domain/shared/text.ts';

type Shape = z.ZodType;
type Nothing = z.ZodUndefined;

/** What both the mounted handler and OpenAPI are made from. */
export interface RouteSpec<
  Params extends Shape = Shape,
  Query extends Shape = Shape,
  Body extends Shape = Shape,
  Answer extends Shape = Shape,
> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As Express writes it: `/users/:id`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly roles: readonly Role[];
  /** What a service's token must allow; without one, no service is let in. */
  readonly scope?: Scope;
  /** Names in `body.service` the service that it speaks for, which must be the caller, if that is a service. */
  readonly speaksForService?: true;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What each status of success means. */
  readonly statuses: Readonly<Record<number, string>>;
  readonly answer?: Answer;
  /** Answers server-sent events, each with such an `answer` as its data; goes on behind a `Last-Event-ID`. */
  readonly isStream?: true;
  /** Errors beyond those that every route of its kind has; see `errorsOf`. */
  readonly errors: readonly ErrorCode[];
  /** Takes an `Idempotency-Key`. */
  readonly idempotent?: true;
  /** Answers on for callers of old; another address is the one to use. */
  readonly isDeprecated?: true;
  /** Inactive and suspended users may call it too. */
  readonly openToInactive?: true;
}

/** What a handler works with. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly deps: ApiDeps;
  readonly caller: Caller;
  /** From when on the caller's token is refused, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** The caller's own user, for callers of role `user` that are registered. */
  readonly self: OwnUser | undefined;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Identifies the effect: the same for a request repeated with the same `Idempotency-Key`. */
  readonly effectId: string;
  /** Number of the event behind which a stream goes on; 0: from the first. */
  readonly lastEventId: number;
}

/** What a handler answers. */
export interface Reply<Body = unknown> {
  readonly status: number;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes over where the answer's body is written, instead of `body`; a `Problem` that it throws is answered. */
  readonly stream?: (response: Writable) => void;
}

/** The request as it came, before anything is known about its values. */
export interface RawCall extends Pick<Call, 'deps' | 'caller' | 'expiresAtMs' | 'self' | 'effectId' | 'lastEventId'> {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** A declared route: `read` checks the request's values and yields the work to do. */
export interface Route {
  readonly spec: RouteSpec;
  readonly read: (raw: RawCall) => () => Promise<Reply>;
  /** The checked values of the address, in their one spelling. */
  readonly readParams: (params: unknown) => unknown;
}

/** Declares a route. */
export function route<
  Params extends Shape = Nothing,
  Query extends Shape = Nothing,
  Body extends Shape = Nothing,
  Answer extends Shape = Nothing,
>(
  spec: RouteSpec<Params, Query, Body, Answer>,
  handle: (call: Call<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<Reply<z.input<Answer>>>,
): Route {
  const readParams = reader('params', spec.params);
  const readQuery = reader('query', spec.query);
  const readBody = reader('body', spec.body);
  return {
    spec,
    readParams,
    read: ({ params, query, body, ...rest }) => {
      const call = { ...rest, params: readParams(params), query: readQuery(query), body: readBody(body) };
      if (spec.speaksForService === true) requireOwnService(rest.caller, call.body);
      return async () => checked(spec, await handle(call), rest.deps);
    },
  };
}

function reader<Schema extends Shape>(
  part: 'params' | 'query' | 'body',
  schema: Schema | undefined,
): (value: unknown) => z.output<Schema> {
  // Without a declared schema the type parameter is `Nothing`, whose output is undefined.
  const declared: z.ZodType = schema ?? z.unknown().transform(() => undefined);
  return (value) => {
    const unstorable = schema === undefined ? undefined : findUnstorableText(value);
    if (unstorable !== undefined) {
      throw validationProblem(part, [
        { code: 'custom', path: unstorable, message: "holds a character that can't be stored", input: undefined },
      ]);
    }
    const read = declared.safeParse(value);
    if (!read.success) throw validationProblem(part, read.error.issues);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `declared` has just checked it
    return read.data as z.output<Schema>;
  };
}

function checked(spec: RouteSpec, reply: Reply, { checkAnswers }: ApiDeps): Reply {
  if (checkAnswers !== true) return reply;
  if (!(reply.status in spec.statuses))
    throw new Error(`${spec.operationId} does not declare the status ${reply.status}`);
  if (reply.body !== undefined) spec.answer?.parse(JSON.parse(JSON.stringify(reply.body)));
  return reply;
}

/** Fails unless the caller may act on the user: callers of role `user` only on their own. */
export function requireOwn({ caller, self }: Pick<Call, 'caller' | 'self'>, userId: string): void {
  if (caller.role === 'user' && self?.id !== userId) throw new Problem('user_not_found');
}

// Before it is looked up what an earlier request was answered.
function requireOwnService(caller: Caller, body: unknown): void {
  if (caller.role !== 'service') return;
  const { service } = namesService.parse(body);
  if (service !== caller.service)
    throw new Problem('service_mismatch', { detail: `The token is that of "${caller.service}".` });
}
const namesService = z.object({ service: z.string() });

/** All errors of a route: its own and those that its kind brings along. */
export function errorsOf(spec: RouteSpec): readonly ErrorCode[] {
  const readsValues =
    spec.params !== undefined ||
    spec.query !== undefined ||
    spec.body !== undefined ||
    spec.idempotent === true ||
    spec.isStream === true;
  return [
    ...new Set<ErrorCode>([
      ...spec.errors,
      'bad_request',
      'unauthenticated',
      'unusable_claims',
      'forbidden',
      ...(spec.roles.includes('service') ? ['insufficient_scope' as const] : []),
      ...(spec.speaksForService === true ? ['service_mismatch' as const] : []),
      'rate_limited',
      'internal_error',
      'database_unavailable',
      'identity_provider_unavailable',
      ...(readsValues ? ['validation_failed' as const] : []),
      ...(spec.method === 'get'
        ? []
        : ['malformed_json' as const, 'body_too_large' as const, 'unsupported_media_type' as const]),
      ...(spec.roles.includes('user') && spec.openToInactive !== true ? ['account_inactive' as const] : []),
      ...(spec.idempotent === true ? ['idempotency_key_reused' as const, 'idempotency_in_progress' as const] : []),
    ]),
  ];
}
