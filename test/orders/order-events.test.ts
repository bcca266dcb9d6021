import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { EventFeedOptions } from '../../src/realtime/event-feed.ts';
import { orderEventSchema } from '../../src/api/orders/order.schemas.ts';
import { runApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { openEventStream, type EventStream, type ReceivedEvent } from '../support/event-stream.ts';
import { openScope } from '../support/scope.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

const TENANT = 'default';
const service = { role: 'service', sub: 'shop' } as const;
const scope = fileScope();
let world: World;
let api: TestApi;
test.before(async () => {
  world = await createWorld(scope, { settings: { BUS_POLL_MS: '20' } });
  api = await runApi(world);
});

async function place(at: TestApi = api): Promise<string> {
  const { body } = await at.ask('POST', '/orders', {
    ...service,
    json: {
      customerId: 'c',
      items: [{ sku: 'MUG-1', quantity: 1 }],
      currency: 'EUR',
      payment: { method: 'account' },
      shipTo: { name: 'Ada', street: 'Street 1', postalCode: '1', city: 'Paris', country: 'FR' },
    },
  });
  return String(body['id']);
}
/** Adds an event as a step of the order's process would. */
async function happen(processId: string, { type, detail = {} }: { type: string; detail?: object }): Promise<void> {
  await api.db.inTenant(TENANT, async (tx) => {
    const { sequence } = await tx.processState.update({
      where: { tenantId_processId: { tenantId: TENANT, processId } },
      data: {
        sequence: { increment: 1 },
        ...(type === 'ProcessCompensated' ? { status: 'compensated', currentStep: null } : {}),
      },
    });
    await tx.processEvent.create({
      data: { tenantId: TENANT, processId, sequence, type, step: null, detail, at: new Date() },
    });
  });
}
async function follow(
  id: string,
  {
    after,
    at = api,
    sub = service.sub,
    role = service.role,
  }: {
    after?: string;
    at?: TestApi;
    sub?: string;
    role?: 'service' | 'user';
  } = {},
): Promise<EventStream> {
  return openEventStream(`${at.url}/orders/${id}/events`, {
    Authorization: `Bearer ${await at.token(role, sub)}`,
    ...(after === undefined ? {} : { 'Last-Event-ID': after }),
  });
}
const apiWith = (
  t: ExecutionContext,
  streams: Partial<EventFeedOptions>,
  settings: Record<string, string> = {},
): Promise<TestApi> => runApi({ ...world, scope: t }, { streams, settings });
const idsOf = (events: readonly (ReceivedEvent | null)[]) => events.map((event) => event?.id);

test('a stream tells what happened and what happens, each event once, and ends with the order', async (t) => {
  const id = await place();
  const stream = await follow(id);
  t.is(stream.status, 200);
  t.is(stream.contentType, 'text/event-stream');
  const first = await stream.next();
  t.like(orderEventSchema.parse(first?.data), { sequence: 1, type: 'ProcessStarted', refusal: null });
  t.is((await stream.next())?.id, '2');
  await happen(id, {
    type: 'StepFailed',
    detail: { cause: { code: 'step_error', message: 'secret', class: 'transient' } },
  });
  t.like(orderEventSchema.parse((await stream.next())?.data), { sequence: 3, type: 'StepFailed', refusal: null });
  await happen(id, {
    type: 'CompensationStarted',
    detail: { cause: { code: 'out_of_stock', message: 'Sold out.', class: 'refused' } },
  });
  await happen(id, { type: 'ProcessCompensated' });
  const rest = await stream.rest();
  t.deepEqual(idsOf(rest), ['4', '5']);
  t.like(rest[0]?.data, { refusal: { code: 'out_of_stock', message: 'Sold out.' } });
});

test('a stream goes on behind Last-Event-ID, and says when there is nothing more to come', async (t) => {
  const id = await place();
  await happen(id, { type: 'ProcessCompensated' });
  t.deepEqual(idsOf(await (await follow(id, { after: '1' })).rest()), ['2', '3']);
  t.deepEqual(idsOf(await (await follow(id)).rest()), ['1', '2', '3']);
  t.is((await follow(id, { after: '3' })).status, 204);
  const wrong = await api.ask('GET', `/orders/${id}/events`, { ...service, headers: { 'Last-Event-ID': 'x' } });
  t.is(wrong.body['code'], 'validation_failed');
  t.is((await api.ask('GET', `/orders/${randomUUID()}/events`, service)).body['code'], 'order_not_found');
});

test('a reader ahead of its stream hears what happens from then on, and the end', async (t) => {
  const id = await place();
  const stream = await follow(id, { after: '999' });
  await happen(id, { type: 'ParkingOverdue' });
  await happen(id, { type: 'ProcessCompensated' });
  t.deepEqual(idsOf(await stream.rest()), ['3', '4']);
  t.is((await follow(id, { after: '999' })).status, 204);
});

test('many streams are fed by one reader', async (t) => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => place()));
  const streams = await Promise.all([...ids, ...ids].map((id) => follow(id)));
  for (const stream of streams) t.deepEqual(idsOf([await stream.next(), await stream.next()]), ['1', '2']);
  await Promise.all(ids.map((id) => happen(id, { type: 'ProcessCompensated' })));
  for (const stream of streams) t.deepEqual(idsOf(await stream.rest()), ['3']);
});

test('a long timeline comes whole', async (t) => {
  const id = await place();
  for (let count = 0; count < 120; count += 1) await happen(id, { type: 'ParkingOverdue' });
  await happen(id, { type: 'ProcessCompensated' });
  t.deepEqual(
    idsOf(await (await follow(id)).rest()),
    Array.from({ length: 123 }, (_, index) => String(index + 1)),
  );
});

test('a silent stream has a heartbeat, and ends after its time', async (t) => {
  const other = await apiWith(t, { heartbeatMs: 1, maxAgeMs: 300 });
  const stream = await follow(await place(), { at: other });
  t.deepEqual(idsOf(await stream.rest()), ['1', '2']);
  t.true(stream.comments() > 0);
});

test('streams are bounded, for a user and for the API process, and the place of one that left is free', async (t) => {
  const other = await apiWith(
    t,
    {},
    { STREAMS_MAX: '3', STREAMS_USER_MAX: '2', STREAMS_TENANT_SHARE: '1', STREAMS_CALLER_SHARE: '1' },
  );
  const { body } = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'streams',
    json: { authSubject: 'streams', email: 'streams@example.com' },
  });
  await api.db.inTenant(TENANT, (tx) =>
    tx.user.update({
      where: { tenantId_id: { tenantId: TENANT, id: String(body['id']) } },
      data: { status: 'active', customerId: 'c' },
    }),
  );
  const id = await place();
  const as = { role: 'user', sub: 'streams', at: other } as const;
  const streams = [await follow(id, as), await follow(id, as)];
  t.like(await other.ask('GET', `/orders/${id}/events`, as), { status: 429, body: { code: 'too_many_streams' } });
  await follow(id, { at: other });
  t.like(await other.ask('GET', `/orders/${id}/events`, service), {
    status: 503,
    body: { code: 'streams_exhausted', retryable: true },
  });
  streams[0]?.leave();
  await until(async () => (await follow(id, as)).status === 200, { what: 'a place' });
});

test('streams end when the API stops', async (t) => {
  const own = openScope();
  const other = await runApi({ ...world, scope: own });
  const stream = await follow(await place(), { at: other });
  t.deepEqual(idsOf([await stream.next(), await stream.next()]), ['1', '2']);
  const rest = stream.rest();
  await own.close();
  t.deepEqual(await rest, []);
});
