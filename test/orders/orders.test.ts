import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { z } from 'zod';
import { loadConfig } from '../../src/config/config.ts';
import { removeExpired } from '../../src/maintenance/retention/retention.ts';
import { startApi, type Ask, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { temporalAt } from '../support/temporal.ts';

// Nothing listens where this API looks for Temporal.
const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope, { settings: { COMMAND_TIMEOUT_MS: '500' } });
});
const service = { role: 'service', sub: 'shop' } as const;
const page = z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() });
const shipTo = { name: 'Ada Lovelace', street: 'Rue de Rivoli 1', postalCode: '75001', city: 'Paris', country: 'FR' };

function orderOf(customerId: string, change: object = {}): object {
  return {
    customerId,
    items: [{ sku: 'MUG-1', quantity: 2 }],
    currency: 'EUR',
    payment: { method: 'account' },
    shipTo,
    ...change,
  };
}
async function place(customerId: string, ask: Ask = service): Promise<string> {
  const { status, body } = await api.ask('POST', '/orders', { json: orderOf(customerId), ...ask });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return String(body['id']);
}
async function register(
  sub: string,
  change: { status?: 'active' | 'suspended'; customerId?: string } = {},
): Promise<{ role: 'user'; sub: string; id: string }> {
  const { body } = await api.ask('POST', '/users', {
    role: 'user',
    sub,
    json: { authSubject: sub, email: `${sub}@example.com` },
  });
  const id = String(body['id']);
  await api.db.inTenant('default', (tx) =>
    tx.user.update({ where: { tenantId_id: { tenantId: 'default', id } }, data: change }),
  );
  return { role: 'user', sub, id };
}

test('orders have ids in the order in which they were placed', async (t) => {
  const customerId = randomUUID();
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    ids.push(await place(customerId));
    await sleep(2);
  }
  t.deepEqual(ids, ids.toSorted());
});

test('an order is placed though Temporal is away, and its start is promised', async (t) => {
  const customerId = randomUUID();
  const { status, headers, body } = await api.ask('POST', '/orders', { ...service, json: orderOf(customerId) });
  t.is(status, 201);
  t.like(body, {
    customerId,
    status: 'created',
    totalMinor: null,
    placedBy: null,
    refusal: null,
    items: [{ sku: 'MUG-1', quantity: 2, unitPriceMinor: null }],
    shipTo,
  });
  t.is(headers.get('Location'), `/orders/${String(body['id'])}`);
  t.deepEqual((await api.ask('GET', headers.get('Location') ?? '', service)).body, body);
  const starts = await api.db.inTenant('default', (tx) =>
    tx.pendingStart.findMany({ where: { workflowId: `order:${String(body['id'])}` } }),
  );
  t.like(starts, { length: 1, 0: { kind: 'start', workflowType: 'orderProcess' } });
});

test('an order is placed once for its Idempotency-Key, also when the first answer was never kept', async (t) => {
  const customerId = randomUUID();
  const ask = { ...service, json: orderOf(customerId), headers: { 'Idempotency-Key': customerId } };
  const first = await api.ask('POST', '/orders', ask);
  const second = await api.ask('POST', '/orders', ask);
  t.deepEqual(second.body, first.body);
  t.is(second.headers.get('Idempotency-Replayed'), 'true');
  t.is((await api.ask('POST', '/orders', { ...ask, json: orderOf(customerId, { currency: 'USD' }) })).status, 422);
  await api.db.inTenant('default', (tx) => tx.idempotencyKey.deleteMany({ where: { key: customerId } }));
  const third = await api.ask('POST', '/orders', ask);
  t.deepEqual([third.status, third.body], [201, first.body]);
  t.like((await api.ask('GET', `/orders?customerId=${customerId}`, service)).body, { items: { length: 1 } });
});

test('an order must say what is ordered, in words that can be kept', async (t) => {
  for (const wrong of [
    { items: [] },
    { items: [{ sku: 'MUG-1', quantity: 0 }] },
    { items: [{ sku: '../etc', quantity: 1 }] },
    {
      items: [
        { sku: 'MUG-1', quantity: 1 },
        { sku: 'MUG-1', quantity: 2 },
      ],
    },
    { currency: 'eur' },
    { payment: { method: 'cash' } },
    { shipTo: { ...shipTo, country: 'France' } },
    { shipTo: null },
    { totalMinor: 1 },
  ]) {
    t.is(
      (await api.ask('POST', '/orders', { ...service, json: orderOf('c', wrong) })).body['code'],
      'validation_failed',
      JSON.stringify(wrong),
    );
  }
});

test('a user orders for its own customer, and only when it is active', async (t) => {
  const customerId = randomUUID();
  const [active, pending, suspended] = await Promise.all([
    register('orders-active', { status: 'active', customerId }),
    register('orders-pending', { customerId }),
    register('orders-suspended', { status: 'suspended', customerId }),
  ]);
  const { status, body } = await api.ask('POST', '/orders', { ...active, json: orderOf(customerId) });
  t.is(status, 201);
  t.is(body['placedBy'], active.id);
  t.is(
    (await api.ask('POST', '/orders', { ...active, json: orderOf(randomUUID()) })).body['code'],
    'customer_required',
  );
  t.is((await api.ask('POST', '/orders', { ...pending, json: orderOf(customerId) })).body['code'], 'customer_required');
  t.is(
    (await api.ask('POST', '/orders', { ...suspended, json: orderOf(customerId) })).body['code'],
    'account_inactive',
  );
  t.is(
    (await api.ask('POST', '/orders', { role: 'user', sub: 'nobody', json: orderOf(customerId) })).body['code'],
    'customer_required',
  );
});

test("a user sees its customer's orders and nobody else's", async (t) => {
  const [own, other] = [randomUUID(), randomUUID()];
  const as = await register('orders-own', { status: 'active', customerId: own });
  const stranger = await register('orders-stranger');
  const [mine, theirs] = [await place(own), await place(other)];
  t.is((await api.ask('GET', `/orders/${mine}`, as)).status, 200);
  t.like((await api.ask('GET', '/orders', as)).body, { items: { length: 1, 0: { id: mine } }, nextCursor: null });
  t.like((await api.ask('GET', `/orders?customerId=${other}`, as)).body, { items: [] });
  t.like((await api.ask('GET', '/orders', stranger)).body, { items: [] });
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/events'],
    ['POST', '/cancel'],
  ] as const) {
    t.is((await api.ask(method, `/orders/${theirs}${path}`, as)).body['code'], 'order_not_found', path);
    t.is((await api.ask(method, `/orders/${mine}${path}`, stranger)).body['code'], 'order_not_found', path);
  }
  t.is((await api.ask('GET', `/orders/${mine}`, { ...service, tenant: 'elsewhere' })).body['code'], 'order_not_found');
  t.like((await api.ask('GET', '/orders', { ...service, tenant: 'elsewhere' })).body, { items: [] });
});

test('orders come in pages, newest first, each once', async (t) => {
  const customerId = randomUUID();
  const placed: string[] = [];
  for (let count = 0; count < 5; count += 1) placed.unshift(await place(customerId));
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await api.ask(
      'GET',
      `/orders?customerId=${customerId}&status=created&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      service,
    );
    const { items, nextCursor }: z.output<typeof page> = page.parse(body);
    seen.push(...items.map(({ id }) => id));
    cursor = nextCursor;
  }
  t.deepEqual(new Set(seen), new Set(placed));
  t.is(seen.length, 5);
  t.like((await api.ask('GET', `/orders?customerId=${customerId}&status=shipped`, service)).body, { items: [] });
  t.is((await api.ask('GET', '/orders?cursor=nonsense', service)).body['code'], 'validation_failed');
});

test('every status of an order can be asked for', async (t) => {
  const customerId = randomUUID();
  const id = await place(customerId);
  const refused = { code: 'out_of_stock', message: 'Sold out.', class: 'refused' };
  for (const [orderStatus, change] of Object.entries({
    created: {},
    validated: { currentStep: 'reserve_inventory' },
    reserved: { currentStep: 'process_payment' },
    paid: { currentStep: 'create_shipment', status: 'step_failed' },
    shipped: { currentStep: 'await_delivery', status: 'waiting' },
    completed: { currentStep: null, status: 'completed' },
    cancelling: {
      currentStep: 'process_payment',
      status: 'compensation_failed',
      cause: { ...refused, class: 'transient', message: 'secret' },
    },
    cancelled: { currentStep: null, status: 'cancelled', cause: { ...refused, code: 'cancelled', message: 'secret' } },
    refused: { status: 'compensated', cause: refused },
    failed: { status: 'compensated', cause: { ...refused, class: 'unknown', message: 'secret' } },
  } as const)) {
    await api.db.inTenant('default', (tx) =>
      tx.processState.update({ where: { tenantId_processId: { tenantId: 'default', processId: id } }, data: change }),
    );
    const { body } = await api.ask('GET', `/orders/${id}`, service);
    t.is(body['status'], orderStatus);
    t.notRegex(JSON.stringify(body), /secret/);
    t.deepEqual(
      (await api.ask('GET', `/orders?customerId=${customerId}&status=${orderStatus}`, service)).body,
      { items: [body], nextCursor: null },
      orderStatus,
    );
  }
});

test('without Temporal a cancellation is a 503, and what is over is refused all the same', async (t) => {
  const id = await place(randomUUID());
  t.is((await api.ask('POST', `/orders/${id}/cancel`, service)).body['code'], 'temporal_unavailable');
  t.is((await api.ask('POST', `/processes/${id}/cancel`, { role: 'operator' })).body['code'], 'temporal_unavailable');
  await api.db.inTenant('default', (tx) =>
    tx.processState.update({
      where: { tenantId_processId: { tenantId: 'default', processId: id } },
      data: { status: 'completed', currentStep: null },
    }),
  );
  t.is((await api.ask('POST', `/orders/${id}/cancel`, service)).body['code'], 'process_closed');
  t.is(
    (await api.ask('POST', `/processes/${id}/abandon`, { role: 'operator', json: { reason: 'x' } })).body['code'],
    'process_closed',
  );
});

test('a key is one for every spelling of the address', async (t) => {
  const id = await place(randomUUID());
  const ask = { ...service, headers: { 'Idempotency-Key': `delivery-${id}` } };
  const told = await api.ask('POST', `/orders/${id}/delivery`, ask);
  t.deepEqual([told.status, told.headers.get('Idempotency-Replayed')], [202, null]);
  for (const spelled of [id, id.toUpperCase(), id.replace(/./, (first) => `%${first.charCodeAt(0).toString(16)}`)]) {
    const again = await api.ask('POST', `/orders/${spelled}/delivery`, ask);
    t.deepEqual([again.status, again.headers.get('Idempotency-Replayed')], [202, 'true'], spelled);
  }
});

test('an order that was refused to a user who was not active yet is placed under the same key later', async (t) => {
  const customerId = randomUUID();
  const user = await register('orders-later', { customerId });
  const ask = { ...user, json: orderOf(customerId), headers: { 'Idempotency-Key': 'cart-1' } };
  t.is((await api.ask('POST', '/orders', ask)).body['code'], 'customer_required');
  await api.db.inTenant('default', (tx) =>
    tx.user.update({ where: { tenantId_id: { tenantId: 'default', id: user.id } }, data: { status: 'active' } }),
  );
  t.is((await api.ask('POST', '/orders', ask)).status, 201);
});

test('a delivery is kept whenever it is told, and told to the process each time that it may be heard', async (t) => {
  const id = await place(randomUUID());
  t.is((await api.ask('POST', `/orders/${randomUUID()}/delivery`, service)).body['code'], 'order_not_found');
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202, 'before its shipment is known');
  await api.db.inTenant('default', (tx) =>
    tx.shipment.create({ data: { tenantId: 'default', orderId: id, shipmentId: randomUUID(), status: 'accepted' } }),
  );
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202, 'said again');
  const calls = await api.db.inTenant('default', (tx) =>
    tx.pendingStart.findMany({ where: { workflowId: `order:${id}` }, orderBy: { position: 'asc' } }),
  );
  t.deepEqual(
    [...new Set(calls.map(({ kind, signalName }) => `${kind} ${signalName}`))],
    ['start null', 'signal_with_start delivered'],
  );
});

test("a deleted user's orders forget where they went once they are over, at the next clean-up after it", async (t) => {
  const [adaCustomer, bobCustomer] = [randomUUID(), randomUUID()];
  const ada = await register('ada-who-leaves', { status: 'active', customerId: adaCustomer });
  const bob = await register('bob-who-stays', { status: 'active', customerId: bobCustomer });
  const [over, open, others] = [
    await place(adaCustomer, ada),
    await place(adaCustomer, ada),
    await place(bobCustomer, bob),
  ];
  // By a service, for a customer who has nobody left afterwards.
  const key = { 'Idempotency-Key': adaCustomer };
  const byService = { ...service, json: orderOf(adaCustomer), headers: key };
  const [overByService, openByService] = [
    String((await api.ask('POST', '/orders', byService)).body['id']),
    await place(adaCustomer),
  ];
  const answers = () => api.db.inTenant('default', (tx) => tx.idempotencyKey.count({ where: { key: adaCustomer } }));
  t.is(await answers(), 1);
  const close = (ids: readonly string[]) =>
    api.db.inTenant('default', (tx) =>
      tx.processState.updateMany({
        where: { processId: { in: [...ids] } },
        data: { status: 'completed', currentStep: null },
      }),
    );
  const addressOf = async (id: string) => (await api.ask('GET', `/orders/${id}`, service)).body['shipTo'];
  await close([over, others, overByService]);
  t.is((await api.ask('DELETE', `/users/${ada.id}`, { role: 'admin', sub: 'boss' })).status, 204);
  t.deepEqual([await addressOf(over), await addressOf(open), await addressOf(others)], [null, shipTo, shipTo]);
  t.deepEqual([await addressOf(overByService), await addressOf(openByService), await answers()], [null, shipTo, 0]);
  const { client } = temporalAt(t);
  const cleanUp = () =>
    removeExpired({ system: api.system, client, config: { ...loadConfig({}), RETENTION_DAYS: 0 } }, () => {});
  const isPurged = async () =>
    (await api.db.inTenant('default', (tx) => tx.user.findFirstOrThrow({ where: { id: ada.id } }))).purgedAt !== null;
  await api.ask('POST', `/users/state-management/${ada.id}/sync/end-deletion`, { role: 'admin', sub: 'boss' });
  await cleanUp();
  t.deepEqual([await addressOf(open), await isPurged()], [shipTo, false]);
  await close([open]);
  await cleanUp();
  t.deepEqual([await addressOf(open), await isPurged()], [null, false]);
  await close([openByService]);
  await cleanUp();
  t.is(await addressOf(openByService), null);
  t.deepEqual([await addressOf(open), await addressOf(others), await isPurged()], [null, shipTo, true]);
});
