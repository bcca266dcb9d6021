import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import type { ApiDeps } from '../../src/api/http/deps.ts';
import type { Route } from '../../src/api/http/route.ts';
import { createTurns } from '../../src/api/http/turns.ts';
import { writeCursor } from '../../src/api/http/values.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { loadConfig } from '../../src/config/config.ts';
import { defaultPorts, orderProviders } from '../../src/gateways/default-ports.ts';
import { createReplayer } from '../../src/messaging/dead-letters/replay.ts';
import type { Db } from '../../src/postgres/client.ts';
import { createEventFeed } from '../../src/realtime/event-feed.ts';
import { createStreamBudget } from '../../src/realtime/stream-budget.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { idOf, LARGE_TENANT as tenantId } from './large-tenant.ts';

/** Values of filters that are no list of words: of all rows, of a few old ones, and of none. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'listUsers.emailPrefix': ['user', 'user-2', 'user-29999@', 'nobody'],
  'listOrders.customerId': ['customer-1', 'customer-8', 'nobody'],
  'listProcesses.type': ['order', 'refund'],
  'listProcesses.step': ['process_payment', 'nowhere'],
  'listProcesses.olderThan': ['0', '3600'],
  'listDeadLetters.source': ['group-0', 'rare', 'nowhere'],
  'listDeadLetters.type': ['user.updated', 'rare'],
  'listDeadLetters.cause': ['handler_failed', 'rare'],
  'listDeadLetters.olderThanSeconds': ['0', '1000000000'],
  'listAlerts.kind': ['stuck_process', 'rare'],
};
const PARAMS = { id: idOf(1), userId: idOf(1), sku: 'SKU-1' };
const PLACE = writeCursor({ at: new Date(Date.UTC(2026, 0, 10)), id: idOf(1) });
const CURSORS: Readonly<Record<string, string>> = { listProducts: 'SKU-2' };
const limit = 10;
/** What they answer is asked of Temporal, or is written for ever. */
const NO_READ = new Set(['getOperation', 'bulkProgress', 'followOrder']);

type Query = Readonly<Record<string, string>>;

/**
 * Everything that the API reads: each route that is a GET, with every set of its filters, at the begin of a list and
 * further on, for each kind of caller. A filter that is added needs its line above.
 */
export const ROUTE_CASES: readonly FlatCase[] = ROUTES.filter(
  ({ spec }) => spec.method === 'get' && !NO_READ.has(spec.operationId),
).flatMap((route) =>
  queriesOf(route).flatMap((query) =>
    rolesOf(route).map((role) =>
      flatCase(`${role}: GET ${route.spec.path} ${JSON.stringify(query)}`, limit, (db) =>
        route.read({
          deps: depsOf(db),
          caller: { tenantId, role, subject: 'auth|1' },
          expiresAtMs: Number.MAX_SAFE_INTEGER,
          self: role === 'user' ? { id: idOf(1), status: 'active', customerId: 'customer-1' } : undefined,
          params: PARAMS,
          query,
          body: undefined,
          effectId: '',
          lastEventId: 0,
        })(),
      ),
    ),
  ),
);

/** A user may see other rows than the others, who all see the same. */
function rolesOf({ spec: { roles } }: Route): readonly ('user' | 'admin')[] {
  return (['user', 'admin'] as const).filter((role) => roles.includes(role));
}

function queriesOf({ spec: { operationId, query } }: Route): readonly Query[] {
  if (query === undefined) return [{}];
  if (!(query instanceof z.ZodObject)) throw new Error(`the filters of ${operationId} can't be told apart`);
  const { limit: ofPage, cursor, ...filters } = query.shape;
  if (ofPage === undefined || cursor === undefined) throw new Error(`${operationId} is no list of pages`);
  const values = Object.entries(filters).map(
    ([name, schema]) => [name, valuesOf(`${operationId}.${name}`, schema)] as const,
  );
  return subsetsOf(values)
    .flatMap(pickEach)
    .flatMap((filter) => [
      { ...filter, limit: String(limit) },
      { ...filter, limit: String(limit), cursor: CURSORS[operationId] ?? PLACE },
    ]);
}

function valuesOf(name: string, schema: unknown): readonly string[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  const words = inner instanceof z.ZodPipe ? inner.in : inner;
  const values = words instanceof z.ZodEnum ? words.options.map(String) : SAMPLES[name];
  if (values === undefined) throw new Error(`${name} is a filter without values to try it with`);
  return values;
}

function subsetsOf<Item>([first, ...others]: readonly Item[]): Item[][] {
  if (first === undefined) return [[]];
  return subsetsOf(others).flatMap((subset) => [subset, [first, ...subset]]);
}

/** Queries of all these filters in which each value comes once or more. */
function pickEach(filters: readonly (readonly [string, readonly string[]])[]): Query[] {
  const most = Math.max(1, ...filters.map(([, values]) => values.length));
  return Array.from({ length: most }, (_, n) =>
    Object.fromEntries(filters.map(([name, values]) => [name, values[n % values.length] ?? ''])),
  );
}

function depsOf(db: Db): ApiDeps {
  const config = loadConfig({});
  const log = pino({ level: 'silent' });
  return {
    config,
    db,
    log,
    temporal: new Client({ connection: Connection.lazy() }),
    commandTurns: createTurns(1),
    orderProviders: orderProviders(defaultPorts(config)),
    verifyToken: () => Promise.reject(new Error('nobody is asked for a token')),
    subjectHash: ({ authSubject }) => authSubject,
    replayer: createReplayer({ db, handlers: {} }),
    events: createEventFeed({
      pool: db.pool,
      pollMs: config.BUS_POLL_MS,
      logger: log,
      budget: createStreamBudget({ max: 1, tenantShare: 1, callerShare: 1, maxOfUser: 1 }),
      lostBy: () => Promise.resolve([]),
    }),
    metrics: { registry: new Registry() },
    isBusHealthy: () => Promise.resolve(true),
    wakeOutboxRelay: () => undefined,
  };
}
