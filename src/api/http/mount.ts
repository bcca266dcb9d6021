import { randomUUIDv7 } from 'node:crypto';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import type { Caller } from '../../auth/roles.ts';
import { findOwnUser, type OwnUser } from '../../db/users/users.ts';
import { requireCaller } from './middleware/authentication.ts';
import type { ApiDeps } from './deps.ts';
import { readIdempotencyKey, withIdempotency } from './idempotency.ts';
import { nameRoute } from './middleware/metrics.ts';
import { Problem } from './problem.ts';
import { refuseMethod, STRICT_ROUTING } from './routing.ts';
import type { Reply, Route, RouteSpec } from './route.ts';
import { send } from './send.ts';

/** A router that serves the declared routes. */
export function mountRoutes(routes: readonly Route[], deps: ApiDeps): Router {
  const router = Router(STRICT_ROUTING);
  const paths = [...Map.groupBy(routes, ({ spec }) => spec.path)];
  // An address that is declared as it is wins over one with parameters, by any method.
  for (const [path, some] of paths.toSorted(([a], [b]) => Number(a.includes(':')) - Number(b.includes(':')))) {
    for (const route of some) router[route.spec.method](path, handlerOf(route, deps));
    router.all(
      path,
      refuseMethod(
        path,
        some.map(({ spec }) => spec.method),
      ),
    );
  }
  return router;
}

// Guards first: authentication, role, values. Only then the work.
function handlerOf({ spec, read, readParams }: Route, deps: ApiDeps): RequestHandler {
  return async (request, response) => {
    nameRoute(response, spec.path);
    const { caller, expiresAtMs } = requireCaller(request);
    requireGrant(spec, caller);
    const self = await loadSelf(spec, caller, deps);
    requireJson(request);
    const key =
      spec.idempotent === true
        ? readIdempotencyKey(request, { caller, path: pathOf(spec, readParams(request.params)) })
        : undefined;
    const work = read({
      deps,
      caller,
      expiresAtMs,
      self,
      effectId: key?.effectId ?? randomUUIDv7(),
      lastEventId: spec.isStream === true ? readLastEventId(request) : 0,
      params: request.params,
      query: request.query,
      body: request.body,
    });
    if (key !== undefined) return withIdempotency({ key, deps, tenantId: caller.tenantId, work, response });
    answer(response, await work());
  };
}

/** Fails unless the route is for the caller's role and, of a service, for one of its scopes. */
function requireGrant({ roles, scope }: RouteSpec, caller: Caller): void {
  if (!roles.includes(caller.role)) throw new Problem('forbidden');
  if (caller.role !== 'service' || (scope !== undefined && caller.scopes.includes(scope))) return;
  throw new Problem('insufficient_scope', { challenge: `Bearer error="insufficient_scope", scope="${scope ?? ''}"` });
}

/** The address in its one spelling: parameters as they were read, so that an id has one case. */
function pathOf({ path }: RouteSpec, params: unknown): string {
  const values = new Map(Object.entries(params ?? {}));
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values.get(name))));
}

function answer(response: Response, { status, body, headers, stream }: Reply): void {
  if (stream === undefined)
    return send(response, { status, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  // A proxy that buffers would hold the events back.
  response.set({ ...headers, 'X-Accel-Buffering': 'no' }).status(status);
  response.setHeader('Content-Type', 'text/event-stream'); // without the charset that Express adds
  if (response.req.method === 'HEAD') return void response.end();
  stream(response); // before the status is sent: it may refuse
  response.flushHeaders();
}

function readLastEventId(request: Request): number {
  const given = request.get('Last-Event-ID') ?? '0';
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new Problem('validation_failed', {
    errors: [{ field: 'headers.Last-Event-ID', message: 'must be the id of an event of this stream' }],
  });
}

async function loadSelf(spec: RouteSpec, caller: Caller, { db }: ApiDeps): Promise<OwnUser | undefined> {
  if (caller.role !== 'user') return undefined;
  const self = await findOwnUser(db.pool, caller);
  const isBarred = self?.status === 'inactive' || self?.status === 'suspended';
  if (isBarred && spec.openToInactive !== true) throw new Problem('account_inactive');
  return self;
}

// body-parser skips a body that is not JSON, which would look like no body.
function requireJson(request: Request): void {
  if (
    request.is('*/*') !== null &&
    request.get('Content-Length') !== '0' &&
    !request.is(['application/json', 'application/*+json'])
  ) {
    throw new Problem('unsupported_media_type');
  }
}
