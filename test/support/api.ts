import { createServer } from 'node:http';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createApi } from '../../src/composition/api.ts';
import type { EventFeedOptions } from '../../src/realtime/event-feed.ts';
import { localKeys } from '../../src/auth/local-keys.ts';
import type { Role, ServiceCaller } from '../../src/auth/roles.ts';
import { ALL_SCOPES } from '../../src/auth/scopes.ts';
import { mintToken } from '../../src/auth/tokens.ts';
import { loadConfig } from '../../src/config/config.ts';
import { defaultPorts, type OrderPorts } from '../../src/gateways/default-ports.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { eventsIn } from './event-stream.ts';
import { assertDeclared } from './openapi.ts';
import type { Scope } from './scope.ts';
import { NO_TEMPORAL, temporalAt } from './temporal.ts';
import { createWorld, type World } from './world.ts';

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; empty without a body; of a stream of server-sent events, all `events` until its end. */
  readonly body: Readonly<Record<string, unknown>>;
}

const jsonObject = z.record(z.string(), z.unknown());

/** One request as a test writes it. */
export interface Ask {
  readonly role?: Role;
  readonly sub?: string;
  readonly tenant?: string;
  /** Which service one of that role is, if not the shop, and what it may do, if not all. */
  readonly as?: Partial<Pick<ServiceCaller, 'service' | 'scopes'>>;
  readonly json?: unknown;
  /** A body as it is, instead of `json`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API over real HTTP and PostgreSQL. */
export interface TestApi {
  readonly url: string;
  readonly db: Db;
  readonly system: SystemDb;
  /** How often the workflow relay was woken. */
  readonly wakes: () => number;
  /** A token of the tenant `default` for an hour, or of another and until then, as in `2s ago`. */
  token(role: Role, sub: string, tenant?: string, ttl?: string, as?: Ask['as']): Promise<string>;
  /** What this API adds to the metrics of its process. */
  readonly metricsText: () => Promise<string>;
  /** Sends a request and checks that its answer is one that OpenAPI declares. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
}

/** How an API differs from others of its world. */
export interface ApiOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly streams?: Partial<EventFeedOptions>;
  readonly isDatabaseChecked?: () => boolean;
  /** Who takes the payments of orders that it places, and ships them; ours, unless it is others. */
  readonly ports?: OrderPorts;
}

/** Starts the API alone, on a database of its own; nothing listens where it looks for Temporal. */
export async function startApi(scope: Scope, { settings = {}, ...options }: ApiOptions = {}): Promise<TestApi> {
  const temporal = temporalAt(scope, NO_TEMPORAL);
  const world = await createWorld(scope, { temporal, settings: { COMMAND_TIMEOUT_MS: '1000', ...settings } });
  return runApi(world, options);
}

/** Serves the API of a world in this process, until the world ends. */
export async function runApi(
  { scope, db, system, client, env, logger }: World,
  { settings = {}, streams = {}, isDatabaseChecked = () => true, ports }: ApiOptions = {},
): Promise<TestApi> {
  const config = loadConfig({ ...env, ...settings });
  const keys = await localKeys(config.DATA_DIR);
  const registry = new Registry();
  let wakes = 0;
  const { app, events } = await createApi({
    config,
    db,
    client,
    bus: { publish: async () => undefined, isHealthy: async () => db.ping().then(() => true) },
    gateways: { ...(ports ?? defaultPorts(config)), mail: undefined },
    logger,
    streams,
    checkAnswers: true,
    isDatabaseChecked,
    wakeOutboxRelay: () => {
      wakes += 1;
    },
    metrics: { registry },
  });
  const server = createServer(app);
  scope.teardown(async () => {
    await events.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the API has no port');
  const url = `http://127.0.0.1:${address.port}`;
  const token: TestApi['token'] = (role, subject, tenantId = 'default', ttl = '1h', as = {}) =>
    mintToken(
      role === 'service'
        ? { role, subject, tenantId, ttl, service: 'shop', scopes: ALL_SCOPES, ...as }
        : { role, subject, tenantId, ttl },
      { config, keys },
    );

  return {
    url,
    db,
    system,
    token,
    wakes: () => wakes,
    metricsText: () => registry.metrics(),
    ask: async (method, path, { role, sub = 'somebody', tenant, as, json, raw, headers = {} } = {}) => {
      const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body === undefined ? {} : { body }),
        headers: {
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(role === undefined ? {} : { Authorization: `Bearer ${await token(role, sub, tenant, undefined, as)}` }),
          ...headers,
        },
      });
      const text = await response.text();
      const { status, headers: answered } = response;
      const check = (read: unknown) =>
        assertDeclared({ method, path: path.split('?')[0] ?? path, answer: { status, headers: answered, body: read } });
      if (answered.get('Content-Type') === 'text/event-stream') {
        const streamed = eventsIn(text);
        for (const { data } of streamed) check(data);
        return { status, headers: answered, body: { events: streamed } };
      }
      const parsed: unknown = text === '' ? undefined : JSON.parse(text);
      check(parsed);
      return { status, headers: answered, body: jsonObject.parse(parsed ?? {}) };
    },
  };
}
