import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { localKeys } from '../../src/auth/local-keys.ts';
import { mintToken } from '../../src/auth/tokens.ts';
import { TOPICS } from '../../src/events/user-events.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createCrashWorld, TENANT } from '../crash/crash-world.ts';
import type { World } from '../support/world.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';
import { startCollector, type ReceivedSpan } from '../support/otlp.ts';
import { until } from '../support/until.ts';

const SERVICE = 'accounting';
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const event = z.object({ traceparent: z.string().optional(), data: z.object({ userId: z.string() }) });

async function register({ apiUrl, env }: World, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const config = loadConfig(env);
  const token = await mintToken(
    { subject: 'boss', role: 'admin', tenantId: TENANT, ttl: '5m' },
    { config, keys: await localKeys(config.DATA_DIR) },
  );
  const response = await fetch(`${apiUrl}/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      authSubject: 'auth0|secret',
      email: 'secret@example.com',
      name: 'Secret',
      servicesToSync: [SERVICE],
    }),
  });
  const { id } = z.object({ id: z.string() }).parse(await response.json());
  return id;
}

/** A service that confirms what it is told of, and says in its answer which event that is to. */
async function startService(
  t: ExecutionContext,
  { system }: World,
): Promise<{ readonly heard: (string | undefined)[] }> {
  const bus = createPostgresBus({
    pool: system.pool,
    partitions: 8,
    pollMs: 50,
    retryDelaysMs: [],
    park: async () => {},
  });
  t.teardown(() => bus.close());
  const heard: (string | undefined)[] = [];
  await bus.subscribe({
    group: SERVICE,
    topics: [TOPICS.userCreated],
    handle: async ({ payload }) => {
      const {
        traceparent,
        data: { userId },
      } = event.parse(JSON.parse(payload));
      heard.push(traceparent);
      const id = randomUUID();
      const confirmation = {
        specversion: '1.0',
        id,
        source: `/services/${SERVICE}`,
        type: TOPICS.syncConfirmed,
        tenantid: TENANT,
        traceparent,
        data: { userId, service: SERVICE, userVersion: 1 },
      };
      await bus.publish([
        {
          tenantId: TENANT,
          messageId: id,
          topic: TOPICS.syncConfirmed,
          key: userId,
          payload: JSON.stringify(confirmation),
        },
      ]);
    },
  });
  return { heard };
}

function untilSynced({ db }: World, userId: string): Promise<void> {
  return until(
    async () =>
      (await db.inTenant(TENANT, (tx) => tx.user.findFirst({ where: { id: userId } })))?.syncStatus === 'synced',
    { what: 'synced' },
  );
}

/** The span's name and those of its ancestors, as far as they arrived. */
function ancestry(spans: readonly ReceivedSpan[], span: ReceivedSpan | undefined): string[] {
  if (span === undefined) return [];
  return [
    span.name,
    ...ancestry(
      spans,
      spans.find(({ spanId }) => spanId === span.parentSpanId),
    ),
  ];
}

test("a trace leads from the request to the workflow's handling of the confirmation", async (t) => {
  const collector = await startCollector();
  t.teardown(() => collector.close());
  const world = await createCrashWorld(t, {
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  const { heard } = await startService(t, world);
  const [worker, api] = [await spawnWorker(world), await spawnApi(world)];
  const userId = await register(world, { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` });
  await untilSynced(world, userId);
  t.deepEqual([await worker.stop(), await api.stop()], [0, 0]);

  const { spans } = collector;
  const mine = spans.filter(({ traceId }) => traceId === CALLER.traceId);
  const handling = mine.find(({ name }) => name === 'HandleSignal:confirmed');
  const saving = mine.find(
    ({ name, parentSpanId }) => name === 'RunActivity:saveUserSync' && parentSpanId === handling?.spanId,
  );
  t.deepEqual(ancestry(spans, saving), [
    'RunActivity:saveUserSync',
    'HandleSignal:confirmed',
    'signal_with_start userSync',
    'process sync.user.confirmed',
    'RunActivity:saveUserSync',
    'RunWorkflow:userSync',
    'start userSync',
    'POST /users',
  ]);
  const request = mine.find(({ name }) => name === 'POST /users');
  t.like(request, {
    parentSpanId: CALLER.spanId,
    service: 'steadfast-api',
    attributes: { 'http.route': '/users', 'http.response.status_code': 201 },
  });
  t.deepEqual(
    ancestry(
      spans,
      mine.find(({ name }) => name === 'publish user.created'),
    ).slice(0, 2),
    ['publish user.created', 'RunActivity:saveUserSync'],
  );
  t.deepEqual(
    ancestry(
      spans,
      mine.find(({ name }) => name === 'RunActivity:loadProfile'),
    ),
    ['RunActivity:loadProfile', 'RunWorkflow:profile', 'start profile', 'POST /users'],
  );
  const published = mine.find(({ name }) => name === 'publish user.created');
  t.deepEqual(heard, [`00-${CALLER.traceId}-${published?.parentSpanId}-01`]);

  const known = new Set([CALLER.spanId, ...mine.map(({ spanId }) => spanId)]);
  t.deepEqual(
    mine.filter(({ parentSpanId }) => !known.has(parentSpanId)),
    [],
    'a parent is missing',
  );
  // A workflow task that ran into its time-out is taken again, and names its moments as it did before.
  t.is(
    known.size,
    new Set(mine.map(({ spanId, parentSpanId, name }) => `${spanId} ${parentSpanId} ${name}`)).size + 1,
    'two spans have one id',
  );
  t.notRegex(JSON.stringify(spans), /secret/i);
});

test('without a collector only the interface of OpenTelemetry is loaded, and messages name no trace', async (t) => {
  const world = await createCrashWorld(t);
  const trap = { preload: new URL('print-modules.ts', import.meta.url), env: {} };
  const { heard } = await startService(t, world);
  const [worker, api] = [await spawnWorker(world, trap), await spawnApi(world, trap)];
  const userId = await register(world, { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` });
  await untilSynced(world, userId);
  t.deepEqual(heard, [undefined]);
  const traced = await world.db.inTenant(TENANT, (tx) =>
    tx.outgoingMessage.count({ where: { traceContext: { not: null } } }),
  );
  t.is(traced, 0);
  for (const child of [worker, api]) {
    t.regex(child.output(), /loaded .*@opentelemetry\/api\//);
    t.notRegex(child.output(), /loaded .*@opentelemetry\/(?!api\/)/);
  }
});
