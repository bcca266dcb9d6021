import { randomInt, randomUUID } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { z } from 'zod';
import type { Config } from '../../src/config/config.ts';
import { raiseAlert } from '../../src/db/alerts/raise-alert.ts';
import { PROCESS_LETTERS } from '../../src/db/processes/park-abandoned.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import { removeExpired } from '../../src/maintenance/retention/retention.ts';
import { createBus } from '../../src/messaging/create-bus.ts';
import { parkDeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { startMessageRelay } from '../../src/messaging/outbox/message-relay.ts';
import type { Answer, Ask } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { fieldsHolding, freeTextFields } from '../support/free-texts.ts';
import { createOrderWorld, operator, REFUSED_COUNTRY, TENANT, type OrderWorld } from '../support/order-world.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { findTraces } from '../support/traces.ts';
import { until, untilIs } from '../support/until.ts';

// Whatever anybody types about a user and its orders goes once the user is deleted, wherever it was kept. Whoever adds
// a route that takes a text has this test send one, or says here why none is about a user.
const CUSTOMER = 'names a customer, who is a company, and stays in the books';
const FILTER = 'finds dead letters by words of ours, and is kept nowhere';
const ABOUT_NO_USER: Readonly<Record<string, string>> = {
  'completeProfile customerId': CUSTOMER,
  'placeOrder customerId': CUSTOMER,
  'putProduct name': 'the catalogue',
  'replayDeadLetters filter.source': FILTER,
  'replayDeadLetters filter.type': FILTER,
  'replayDeadLetters filter.cause': FILTER,
  'discardDeadLetters filter.source': FILTER,
  'discardDeadLetters filter.type': FILTER,
  'discardDeadLetters filter.cause': FILTER,
};

/** Where texts are before the clean-up: what looks for them finds them there. */
const HELD_AT_FIRST = [
  'alerts.details',
  'alerts.summary',
  'bus_messages.payload',
  'dead_letters.detail',
  'dead_letters.payload',
  'dead_letters.reason',
  'idempotency_keys.key',
  'orders.ship_to',
  'outgoing_messages.payload',
  'process_events.detail',
  'process_states.cancelled',
  'process_states.cause',
  'process_states.data',
  'process_states.history',
  'routing_slip_legs.arguments',
  'routing_slip_legs.taken',
  'routing_slips.variables',
  'user_sync_services.last_error',
];

const scope = fileScope();
let world: OrderWorld;
test.before(async () => {
  world = await createOrderWorld(scope);
  const { config, system } = world;
  const bus = createBus({ config, pool: system.pool, park: async () => {}, onError: () => {} });
  const relay = startMessageRelay({ system, bus, pollMs: config.BUS_POLL_MS });
  scope.teardown(async () => {
    await relay.stop();
    await bus.close();
  });
});

const admin = { role: 'admin', sub: 'boss' } as const;

const cleanUp = (config: Partial<Config> = {}) =>
  removeExpired({ ...world, config: { ...world.config, ...config } }, () => {});

/** A person with texts that nobody else has, and requests about it. */
function somebody() {
  const marker = randomUUID();
  const phone = `+${randomInt(1e11, 1e12)}`;
  const said = (what: string) => `${what}, said ${marker}`;
  const sent = new Set<string>();
  const user = { role: 'user', sub: said('Ada') } as const;
  const shipTo = { name: said('Ada'), street: said('Rue 1'), postalCode: phone, city: said('Paris'), country: 'FR' };
  const holds = (text: string) => text.includes(marker) || text.includes(phone);
  /** Sends a request, under a key with its marker too, and remembers which fields held one. */
  const send = async (method: string, path: string, ask: Ask, wanted: number): Promise<Answer> => {
    const headers: Record<string, string> = method === 'POST' ? { 'Idempotency-Key': `${randomUUID()}-${marker}` } : {};
    const answer = await world.api.ask(method, path, { ...ask, headers });
    if (answer.status !== wanted) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    for (const field of fieldsHolding({ method, path, body: ask.json }, holds)) sent.add(field);
    return answer;
  };
  const post = (path: string, json: object, { as = operator, wanted = 200 }: { as?: Ask; wanted?: number } = {}) =>
    send('POST', path, { ...as, json }, wanted);
  return { marker, phone, said, sent, user, shipTo, send, post };
}

type Somebody = ReturnType<typeof somebody>;
const idOf = ({ body }: Answer): string => z.string().parse(body['id']);

/** Registers the person, and makes it the one user of a customer. */
async function register({ marker, phone, said, user, send, post }: Somebody) {
  const contact = { email: `${marker}@example.com`, name: said('Ada'), phone };
  const userId = idOf(await post('/users', { ...contact, authSubject: user.sub }, { as: admin, wanted: 201 }));
  await send('PATCH', `/users/${userId}`, { ...user, json: { ...contact, name: said('Countess') } }, 200);
  const state = `/users/state-management/${userId}`;
  const customerId = randomUUID();
  await post(`${state}/profile/complete`, { customerId, customerKind: 'company' }, { as: admin });
  return { userId, state, customerId };
}

async function placeOrder({ user, shipTo, post }: Somebody, customerId: string, to: object = {}): Promise<string> {
  const json = { customerId, items: [{ sku: 'MUG', quantity: 1 }], currency: 'EUR', payment: { method: 'account' } };
  return idOf(await post('/orders', { ...json, shipTo: { ...shipTo, ...to } }, { as: user, wanted: 201 }));
}

/** An order whose shipment has an unknown outcome, and which is given up. */
async function abandonOrder(person: Somebody, customerId: string): Promise<string> {
  world.troubled.cities.add(person.shipTo.city);
  const id = await placeOrder(person, customerId);
  await world.untilProcess(id, 'step_failed');
  await person.post(`/processes/${id}/abandon`, { reason: person.said('because') });
  return id;
}

/** Whether a command has reached the workflow of an order. */
async function hasHeard(orderId: string): Promise<boolean> {
  const { events } = await world.client.workflow.getHandle(`order:${orderId}`).fetchHistory();
  return (events ?? []).some(
    ({ workflowExecutionUpdateAcceptedEventAttributes: update, workflowExecutionSignaledEventAttributes: signal }) =>
      (update ?? signal ?? null) !== null,
  );
}

/** Places orders that end in every way that somebody has a say in, but for one that waits for an operator. */
async function order(person: Somebody, customerId: string) {
  const { said, user, shipTo, post } = person;
  const { troubled, beforePayment } = world;
  const reason = said('because');
  const place = (to: Partial<typeof shipTo> = {}): Promise<string> => placeOrder(person, customerId, to);
  const bulk = async (name: string, processIds: readonly string[], more: object = {}): Promise<void> => {
    const { body } = await post(
      `/processes/bulk/${name}`,
      { filter: { processIds }, reason, ...more },
      { wanted: 202 },
    );
    const read = () => world.api.ask('GET', `/operations/${String(body['operationId'])}`, operator);
    await untilIs(async () => (await read()).body['state'], 'completed', { what: name });
  };

  // Asked once the first attempt to take the payment fails; the next waits until the process has heard of it.
  const cancel = async (ask: (id: string) => Promise<unknown>): Promise<string> => {
    const placed = Promise.withResolvers<string>();
    let asked: Promise<unknown> | undefined;
    beforePayment.set(customerId, async () => {
      const id = await placed.promise;
      if (asked === undefined) {
        asked = ask(id);
        throw new StepFailure('bank_away', said('The bank does not know Ada'));
      }
      await until(() => hasHeard(id), { what: 'the command' });
    });
    const id = await place();
    placed.resolve(id);
    await world.untilProcess(id, 'cancelled');
    await asked;
    beforePayment.delete(customerId);
    return id;
  };
  const cancelled = await cancel((id) => post(`/orders/${id}/cancel`, { reason }, { as: user, wanted: 202 }));
  await cancel((id) => post(`/processes/${id}/cancel`, { reason }));
  await cancel((id) => bulk('cancel', [id]));

  troubled.customers.add(customerId);
  const unpaid = await place({ country: REFUSED_COUNTRY });
  await world.untilProcess(unpaid, 'compensation_failed');
  await post(`/processes/${unpaid}/retry-compensation`, { reason });
  await world.untilProcess(unpaid, 'compensation_failed');
  await post(`/processes/${unpaid}/skip-compensation`, { step: 'process_payment', reason });
  troubled.customers.delete(customerId);
  const settlement = await post(`/processes/${unpaid}/settle`, { payment: 'write_off', reason }, { wanted: 202 });
  await world.untilProcess(idOf(settlement), 'completed');

  troubled.cities.add(shipTo.city);
  const [unsent, many, open] = [await place(), await place(), await place()];
  for (const id of [unsent, many, open]) await world.untilProcess(id, 'step_failed');
  await post(`/processes/${unsent}/retry-step`, { reason });
  await world.untilProcess(unsent, 'step_failed');
  await post(`/processes/${unsent}/skip-step`, { reason });
  await post(`/orders/${unsent}/delivery`, {}, { wanted: 202 });
  await world.untilProcess(unsent, 'completed');
  const refund = await post(`/orders/${unsent}/refunds`, { amountMinor: 1 }, { as: admin, wanted: 201 });
  await world.untilProcess(idOf(refund), 'completed');

  await bulk('retry-compensation', [many]);
  await bulk('skip-compensation', [many], { step: 'process_payment' });
  await bulk('retry-step', [many]);
  await world.untilProcess(many, 'step_failed');
  await bulk('skip-step', [many]);
  await bulk('abandon', [many]);
  await post(`/orders/${many}/delivery`, {}, { wanted: 202 });
  await world.untilProcess(many, 'completed');
  return { cancelled, open };
}

/** Has the person invited once more, by a routing slip. */
async function invite({ marker, said, user, post }: Somebody): Promise<void> {
  const users = [{ authSubject: user.sub, email: `${marker}@example.com`, name: said('Ada') }];
  const slip = { itinerary: [{ activity: 'invite_users', arguments: { users } }], variables: { note: said('hello') } };
  await world.untilProcess(idOf(await post('/processes/routing-slips', slip, { wanted: 201 })), 'completed');
}

/** What goes wrong with a user, and with an order. */
async function trouble({ said, post }: Somebody, { userId, orderId }: { userId: string; orderId: string }) {
  const park = async (key: string, payload: object): Promise<string> => {
    const messageId = randomUUID();
    const letter = { tenantId: TENANT, source: 'sync-confirmations', type: 't', cause: 'malformed_event', messageId };
    return world.db.inTenant(TENANT, async (tx) => {
      await parkDeadLetter(tx, { ...letter, key, detail: said('no'), payload: JSON.stringify(payload) });
      return (await tx.deadLetter.findFirstOrThrow({ where: { messageId } })).id;
    });
  };
  const reason = said('because');
  const [ofUser, ofOther] = [await park(userId, {}), await park('somebody', { userId, error: said('no') })];
  await post(`/dead-letters/${ofUser}/discard`, { reason });
  await post('/dead-letters/replay', { filter: { ids: [ofOther] }, reason });
  await post('/dead-letters/discard', { filter: { ids: [ofOther] }, reason });
  await park(`order:${orderId}`, { error: said('no') });
  const alerts = [
    { kind: 'step_not_saved', key: `profile:${userId}` },
    { kind: 'process_stuck', key: orderId },
  ];
  for (const alert of alerts)
    await world.db.inTenant(TENANT, (tx) =>
      raiseAlert(
        tx,
        { tenantId: TENANT, ...alert, severity: 'warning', summary: said('no'), details: { reason: said('no') } },
        [],
      ),
    );
}

/** Deletes the person, whose copy one service can not delete, until an operator waits no longer. */
async function forget({ said, send, post }: Somebody, { userId, state }: { userId: string; state: string }) {
  const error = said('no');
  await send('DELETE', `/users/${userId}`, admin, 204);
  await post(`${state}/sync/mark-service-failed`, { service: 'accounting', error }, { as: admin });
  await post(`${state}/sync/mark-service-synced`, { service: 'portfolio', error }, { as: admin });
  await send('POST', `${state}/sync/end-deletion`, operator, 200);
  for (const workflowId of [`profile:${userId}`, `user-sync:${userId}`])
    await untilIs(async () => (await world.client.workflow.getHandle(workflowId).describe()).status.name, 'COMPLETED', {
      what: workflowId,
    });
}

test.serial(
  'nothing that anybody typed about a user or its orders outlives its deletion and the clean-up',
  async (t) => {
    const person = somebody();
    const { marker, phone, said, sent, post } = person;
    const found = () => findTraces(world, [marker, phone]);
    const { userId, state, customerId } = await register(person);
    await post(`${state}/sync/mark-service-failed`, { service: 'accounting', error: said('no') }, { as: admin });
    const { cancelled, open } = await order(person, customerId);
    await invite(person);
    await trouble(person, { userId, orderId: cancelled });
    await until(
      async () => (await world.system.acrossTenants((tx) => tx.busMessage.count({ where: { key: userId } }))) > 2,
      { what: 'the messages about the user' },
    );
    await forget(person, { userId, state });

    const before = await found();
    for (const place of [...HELD_AT_FIRST, `user-sync:${userId}`, `order:${cancelled}`])
      t.true(before.includes(place), `${place} among ${before.join(', ')}`);

    // One order is still under way, and keeps what it needs until it is over.
    await cleanUp();
    t.true((await found()).includes('orders.ship_to'));
    await post(`/processes/${open}/abandon`, { reason: said('because') });
    const letter = await world.db.inTenant(TENANT, (tx) =>
      tx.deadLetter.findFirstOrThrow({ where: { source: PROCESS_LETTERS, messageId: open } }),
    );
    await post(`/dead-letters/${letter.id}/replay`, { reason: said('because') });
    await world.untilProcess(open, 'step_failed');
    await post(`/processes/${open}/abandon`, { reason: said('because') });
    const texts = freeTextFields();
    t.true(texts.length > 20);
    const isSent = (field: string) => [...sent].some((one) => one === field || one.startsWith(`${field}.`));
    t.deepEqual(
      texts.filter((field) => !isSent(field) && !(field in ABOUT_NO_USER)),
      [],
      'sent by this test, or about no user',
    );
    t.deepEqual(
      Object.keys(ABOUT_NO_USER).filter((field) => !texts.includes(field) || isSent(field)),
      [],
      'an excuse is about a field that there is',
    );

    await until(
      async () => {
        await cleanUp();
        return (await found()).every(
          (place) => place.startsWith(`bulk:${TENANT}:`) || place === 'idempotency_keys.key',
        );
      },
      {
        what: 'an end of all but what is kept for IDEMPOTENCY_KEY_HOURS, which names neither',
        timeoutMs: 90_000,
        seen: found,
      },
    );
    await until(
      async () => {
        await cleanUp({ IDEMPOTENCY_KEY_HOURS: 0 });
        return (await found()).length === 0;
      },
      { what: 'an end of that, too', timeoutMs: 90_000, seen: found },
    );

    const { body } = await world.api.ask('GET', `/processes/${cancelled}`, operator);
    t.like(body, { status: 'cancelled', cancelled: { command: 'cancel', by: `user ${userId}`, reason: 'erased' } });
  },
);

test.serial(
  'what is begun about an order of a deleted user is erased once it is over, also after the purge',
  async (t) => {
    const person = somebody();
    const { marker, phone, said, post } = person;
    const { userId, state, customerId } = await register(person);
    const orderId = await abandonOrder(person, customerId);
    await forget(person, { userId, state });
    const isPurged = async () =>
      (await world.db.inTenant(TENANT, (tx) => tx.user.findFirstOrThrow({ where: { id: userId } }))).purgedAt !== null;
    await until(
      async () => {
        await cleanUp({ RETENTION_DAYS: 0 });
        return isPurged();
      },
      { what: 'the purge' },
    );

    const found = () => findTraces(world, [marker, phone]);
    const moves = { payment: 'write_off', pieces: 'write_off', reason: said('because') };
    const settlement = idOf(await post(`/processes/${orderId}/settle`, moves, { wanted: 202 }));
    await world.untilProcess(settlement, 'completed');
    t.true((await found()).includes('process_states.data'));
    await until(
      async () => {
        await cleanUp();
        return (await found()).length === 0;
      },
      { what: 'an end of it', timeoutMs: 90_000, seen: found },
    );
  },
);

test.serial(
  'a clean-up that can not reach Temporal, or ends between two tables, is made up for by the next',
  async (t) => {
    const person = somebody();
    const { marker, phone, said } = person;
    const { userId, state, customerId } = await register(person);
    const orderId = await abandonOrder(person, customerId);
    await forget(person, { userId, state });
    const found = () => findTraces(world, [marker, phone]);
    const superuser = new pg.Client({ connectionString: world.databaseUrl });
    await superuser.connect();
    t.teardown(() => superuser.end());
    const isPending = async () =>
      (await superuser.query('SELECT FROM pending_erasures WHERE process_id = $1', [orderId])).rowCount === 1;

    const { client } = temporalAt(t, NO_TEMPORAL);
    const away = removeExpired({ ...world, client }, () => {});
    t.regex((await t.throwsAsync(away, { instanceOf: AggregateError })).message, /failed for executions \(/);
    t.deepEqual(await found(), [`order:${orderId}`, `user-sync:${userId}`], 'the rows are clean');
    t.true(await isPending());

    await superuser.query('REVOKE UPDATE (detail) ON process_events FROM steadfast_system');
    await superuser.query(
      `UPDATE process_states SET cause = jsonb_build_object('message', $2::text) WHERE process_id = $1`,
      [orderId, said('late')],
    );
    t.regex((await t.throwsAsync(cleanUp(), { instanceOf: AggregateError })).message, /failed for process_events \(/);
    await untilIs(found, [], { what: 'histories and rows without it' });
    t.true(await isPending(), 'it is looked at again');

    await superuser.query('GRANT UPDATE (detail) ON process_events TO steadfast_system');
    await until(
      async () => {
        await cleanUp({ RETENTION_DAYS: 0 });
        return !(await isPending());
      },
      { what: 'the end of it' },
    );
    t.deepEqual(await found(), []);
    const { purgedAt } = await world.db.inTenant(TENANT, (tx) => tx.user.findFirstOrThrow({ where: { id: userId } }));
    t.not(purgedAt, null);
  },
);
