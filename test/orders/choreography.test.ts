import { randomUUID } from 'node:crypto';
import test from 'ava';
import { orderStalled } from '../../src/alerts/checks/order-stalled.ts';
import { createProcessBulkActivities } from '../../src/activities/bulk/processes.ts';
import { createWatchdogActivities } from '../../src/activities/audits/process-watchdog.ts';
import { defaultPorts, type OrderPorts } from '../../src/gateways/default-ports.ts';
import type { Bus } from '../../src/messaging/bus.ts';
import { runApi, type Answer, type TestApi } from '../support/api.ts';
import { around } from '../support/faulty-ports.ts';
import { fileScope } from '../support/file-scope.ts';
import { runServices } from '../support/order-services.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { until, untilIs } from '../support/until.ts';
import { addCustomer } from '../support/users.ts';
import { createWorld, type World } from '../support/world.ts';

// Nothing listens where these look for Temporal: no workflow carries these orders.
const TENANT = 'default';
const operator = { role: 'operator', sub: 'op' } as const;
const service = { role: 'service', sub: 'shop' } as const;
const scope = fileScope();
let world: World;
let api: TestApi;
let bus: Bus;
/** Customers whose payments fail. */
const failing = new Set<string>();

test.before(async () => {
  world = await createWorld(scope, {
    temporal: temporalAt(scope, NO_TEMPORAL),
    poolSize: 25,
    settings: {
      BUS_POLL_MS: '20',
      BUS_RETRY_DELAYS_MS: '1',
      COMMAND_TIMEOUT_MS: '500',
      CHOREOGRAPHY_STEP_DEADLINE_MS: '1',
      PROCESS_STUCK_AFTER_MS: '1',
    },
  });
  const ports: OrderPorts = {
    ...defaultPorts(world.config),
    payments: around(defaultPorts(world.config).payments, (ledger) => ({
      ...ledger,
      authorise: async (request) => {
        if (request.calls.some(({ customerId }) => failing.has(customerId))) throw new Error('The ledger is broken.');
        return ledger.authorise(request);
      },
    })),
  };
  api = await runApi(world, { ports });
  await api.ask('PUT', '/products/MUG', { role: 'admin', json: { name: 'Mug', priceMinor: 1_250, currency: 'EUR' } });
  await api.ask('POST', '/products/MUG/stock', { role: 'admin', json: { received: 1_000 } });
  bus = await runServices(world, ports);
});

async function place(change: object = {}, customerId: string = randomUUID()): Promise<string> {
  await addCustomer(world.db, { tenantId: TENANT, customerId });
  const { status, body } = await api.ask('POST', '/orders', {
    ...service,
    json: {
      customerId,
      items: [{ sku: 'MUG', quantity: 1 }],
      currency: 'EUR',
      payment: { method: 'account' },
      shipTo: { name: 'Ada Lovelace', street: 'Rue 1', postalCode: '75001', city: 'Paris', country: 'FR' },
      mode: 'choreography',
      ...change,
    },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return String(body['id']);
}
const read = async (id: string): Promise<Answer['body']> => (await api.ask('GET', `/orders/${id}`, service)).body;
const untilStatus = (id: string, status: string) =>
  untilIs(async () => (await read(id))['status'], status, { what: `order ${id} ${status}` });
/** An order whose payment is among the dead letters until it is healed, which replays it. */
async function parkedPayment(): Promise<{ id: string; customerId: string; heal: () => Promise<void> }> {
  const customerId = randomUUID();
  failing.add(customerId);
  const id = await place({}, customerId);
  const letters = async () =>
    world.db.inTenant(TENANT, (tx) => tx.deadLetter.findMany({ where: { key: id, status: 'parked' } }));
  await until(async () => (await letters()).length === 1, { what: 'a dead letter' });
  const letter = (await letters())[0]?.id ?? '';
  const heal = async (): Promise<void> => {
    failing.delete(customerId);
    await api.ask('POST', `/dead-letters/${letter}/replay`, operator);
  };
  return { id, customerId, heal };
}

test('a choreographed order is listed, read, followed and delivered as any other, without Temporal', async (t) => {
  const customerId = randomUUID();
  const id = await place({}, customerId);
  await untilStatus(id, 'shipped');
  t.like(await read(id), {
    mode: 'choreography',
    totalMinor: 1_250,
    conversation: { awaiting: { message: 'ShipmentDelivered', service: 'delivery' }, deadLetters: [] },
  });
  t.like((await api.ask('GET', `/orders?customerId=${customerId}&status=shipped`, service)).body, {
    items: { length: 1, 0: { id, mode: 'choreography' } },
  });
  t.is((await api.ask('POST', `/orders/${id}/cancel`, service)).body['code'], 'past_point_of_no_return');
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  await untilStatus(id, 'completed');
  t.like((await api.ask('GET', `/processes/${id}`, operator)).body, {
    type: 'choreographed_order',
    status: 'completed',
    leftOver: {},
  });
  const followed = JSON.stringify((await api.ask('GET', `/orders/${id}/events`, service)).body);
  t.is(followed.match(/"StepCompleted"/g)?.length, 5);
  t.deepEqual(await world.db.inTenant(TENANT, (tx) => tx.pendingStart.findMany({})), []);
});

test('its customer reads neither what services say nor why they fail', async (t) => {
  const customerId = randomUUID();
  const sub = randomUUID();
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.create({
      data: {
        tenantId: TENANT,
        id: randomUUID(),
        authSubject: sub,
        email: `${sub}@example.com`,
        status: 'active',
        customerId,
      },
    }),
  );
  const id = await place({}, customerId);
  const { body } = await api.ask('GET', `/orders/${id}`, { role: 'user', sub });
  t.is(body['mode'], 'choreography');
  t.false('conversation' in body);
});

test('a delivery that is told before the shipment completes the order once it is shipped', async (t) => {
  const { id, heal } = await parkedPayment();
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  await heal();
  await untilStatus(id, 'completed');
  t.pass();
});

test('a cancellation while a step is asked for undoes what was done, and names nobody in a message', async (t) => {
  const { id, heal } = await parkedPayment();
  t.is((await api.ask('POST', `/orders/${id}/cancel`, { ...service, json: { reason: 'Secret' } })).status, 202);
  await untilStatus(id, 'cancelling');
  await heal();
  await untilStatus(id, 'cancelled');
  t.like((await api.ask('GET', `/processes/${id}`, operator)).body, { cancelled: { reason: 'Secret' } });
  const said = await world.db.inTenant(TENANT, (tx) => tx.outgoingMessage.findMany({ where: { key: id } }));
  t.true(said.length > 5);
  t.notRegex(JSON.stringify(said.map(({ payload }) => payload)), /Secret|Ada|shop/);
  t.is((await api.ask('POST', `/orders/${id}/cancel`, service)).body['code'], 'process_closed');
});

test('a message that can not be taken shows on the order; its replay is the repair', async (t) => {
  const { id, heal } = await parkedPayment();
  t.like(await read(id), {
    status: 'reserved',
    conversation: {
      awaiting: { message: 'ProcessPayment', service: 'payment', times: 1 },
      deadLetters: { length: 1, 0: { source: 'payment', message: 'ProcessPayment', cause: 'handler_failed' } },
    },
  });
  await heal();
  await untilStatus(id, 'shipped');
  t.like(await read(id), { conversation: { deadLetters: [] } });
});

test('operators are told who should have answered what, until it is asked again and answered', async (t) => {
  const { id, customerId } = await parkedPayment();
  const { system, client, config } = world;
  const found = async () => {
    const findings = await orderStalled.run({ system, client, config });
    return findings === 'unknown' ? [] : findings.filter(({ key }) => key === 'payment');
  };
  await until(async () => (await found()).length === 1, { what: 'the finding' });
  t.like((await found())[0], { tenantId: TENANT, details: { service: 'payment', lastMessage: 'ProcessPayment' } });
  failing.delete(customerId);
  t.like((await api.ask('POST', `/processes/${id}/recover`, operator)).body, {
    classed: 'unanswered',
    action: 'asked_again',
  });
  await untilStatus(id, 'shipped');
  t.like((await api.ask('POST', `/processes/${id}/recover`, operator)).body, { classed: 'waiting', action: 'none' });
  const payments = await world.db.inTenant(TENANT, (tx) => tx.payment.findMany({ where: { orderId: id } }));
  t.like(payments, { length: 1, 0: { status: 'captured' } });
});

test('an answer that got lost is given again to who asks again, without a second effect', async (t) => {
  const { id, heal } = await parkedPayment();
  // The payment is taken and its answer never comes: it was read as somebody else's.
  await world.db.inTenant(TENANT, (tx) =>
    tx.inboxMessage.create({
      data: { tenantId: TENANT, consumer: 'order', messageId: `payment ${id}:PaymentProcessed` },
    }),
  );
  await heal();
  await until(
    async () => (await world.db.inTenant(TENANT, (tx) => tx.payment.findMany({ where: { orderId: id } }))).length === 1,
    { what: 'the payment' },
  );
  t.is((await api.ask('POST', `/processes/${id}/recover`, operator)).status, 200);
  await untilStatus(id, 'shipped');
  const transfers = await world.db.inTenant(TENANT, (tx) => tx.ledgerTransfer.findMany({ where: { orderId: id } }));
  t.is(transfers.length, 3);
});

test('no watchdog, no bulk command and no command of operators starts a workflow of it', async (t) => {
  const { id, heal } = await parkedPayment();
  const { db, system, client, config } = world;
  for (const command of ['abandon', 'skip-step', 'retry-step', 'retry-compensation'])
    t.is(
      (await api.ask('POST', `/processes/${id}/${command}`, { ...operator, json: { reason: 'x' } })).body['code'],
      'process_by_messages',
      command,
    );
  // Temporal is away: a look at an execution would fail.
  const watched = await createWatchdogActivities({ db, system, client, config }).watchProcesses({ from: null });
  t.is(watched.failed, 0);
  const bulk = createProcessBulkActivities({ db, client, config });
  const filter = { processIds: [id] };
  const rest = { tenantId: TENANT, filter, afterProcessId: null, limit: 10 };
  await bulk.signalProcesses({ ...rest, command: { name: 'abandon', by: 'op', reason: 'x' } });
  await bulk.signalProcesses({ ...rest, command: { name: 'recover' } });
  await bulk.signalProcesses({ ...rest, command: { name: 'cancel', by: 'op' } });
  t.deepEqual(await db.inTenant(TENANT, (tx) => tx.pendingStart.findMany({})), []);
  await heal();
  await untilStatus(id, 'cancelled');
});

test('a message that is none is parked with its cause, and a stranger to no order', async (t) => {
  const key = randomUUID();
  const event = { specversion: '1.0', source: 'order', type: 'OrderCreated', correlationid: key, tenantid: TENANT };
  const data = { orderId: key, customerId: 'c', currency: 'EUR', items: [{ sku: 'MUG', quantity: 1 }] };
  const publish = (topic: string, payload: object | string) => {
    const messageId = randomUUID();
    const text = typeof payload === 'string' ? payload : JSON.stringify({ id: messageId, ...payload });
    return bus.publish([{ tenantId: TENANT, messageId, topic, key, payload: text }]);
  };
  await publish('payment', { ...event, data });
  await publish('payment', 'no JSON');
  await publish('order', { ...event, data });
  await publish('order', { ...event, data: { ...data, orderId: randomUUID() } });
  const causes = async () =>
    (await world.db.inTenant(TENANT, (tx) => tx.deadLetter.findMany({ where: { key } })))
      .map(({ source, cause }) => `${source} ${cause}`)
      .toSorted();
  const wanted = [
    ...Array.from({ length: 3 }, () => 'order malformed_message'),
    'order unknown_order',
    ...Array.from({ length: 2 }, () => 'payment malformed_message'),
  ];
  await until(async () => (await causes()).length === wanted.length, { what: 'six dead letters' });
  t.deepEqual(await causes(), wanted);
});
