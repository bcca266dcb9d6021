import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { anonymiseUser } from '../../src/db/users/users.ts';
import type { EventFeedOptions } from '../../src/realtime/event-feed.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { insertOrder } from '../../src/db/orders/place-order.ts';
import { runApi, type TestApi } from '../support/api.ts';
import { openEventStream, type EventStream } from '../support/event-stream.ts';
import { fileScope } from '../support/file-scope.ts';
import { newOrder } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { plantUser } from '../support/users.ts';
import { createWorld, type World } from '../support/world.ts';

const TENANT = 'default';
const EXISTING = 2;
const scope = fileScope();
let world: World;
let api: TestApi;
test.before(async () => {
  world = await createWorld(scope, { settings: { BUS_POLL_MS: '20' } });
  api = await runApi(world, { streams: { checkMs: 50 } });
});
const apiWith = (t: ExecutionContext, streams: Partial<EventFeedOptions>): Promise<TestApi> =>
  runApi({ ...world, scope: t }, { streams });

/** A user who follows an order of its customer. */
interface Reading {
  readonly userId: string;
  readonly orderId: string;
  readonly stream: EventStream;
  again(): Promise<{ status: number; code: unknown }>;
}

const write = (text: string, values: readonly unknown[]) =>
  rawTransaction(world.db.pool, TENANT, (client) => client.query(text, [...values]));

async function placeOrder(customerId: string, tenantId = TENANT): Promise<string> {
  const orderId = randomUUID();
  await insertOrder(world.db.pool, newOrder({ tenantId, orderId, customerId, items: [{ sku: 'MUG-1', quantity: 1 }] }));
  return orderId;
}

const happen = (orderId: string) =>
  write(
    `INSERT INTO process_events (tenant_id, process_id, sequence, type, detail, at)
      VALUES ($1, $2, 3, 'ParkingOverdue', '{}', now())`,
    [TENANT, orderId],
  );

async function startReading(at: TestApi = api): Promise<Reading> {
  const [userId, customerId] = [randomUUID(), randomUUID()];
  const sub = `auth|${userId}`;
  await plantUser(world.db, { tenantId: TENANT, userId, authSubject: sub });
  await write("UPDATE users SET status = 'active', customer_id = $2 WHERE id = $1", [userId, customerId]);
  const orderId = await placeOrder(customerId);
  const path = `/orders/${orderId}/events`;
  const stream = await openEventStream(`${at.url}${path}`, { Authorization: `Bearer ${await at.token('user', sub)}` });
  for (let n = 0; n < EXISTING; n += 1) await stream.next();
  return {
    userId,
    orderId,
    stream,
    again: async () => {
      const { status, body } = await at.ask('GET', path, { role: 'user', sub });
      return { status, code: body['code'] };
    },
  };
}

interface Loss {
  readonly what: string;
  readonly lose: (reading: Reading) => Promise<unknown>;
  readonly status: number;
  readonly code: string;
}
const LOSSES: readonly Loss[] = [
  {
    what: 'is suspended',
    lose: ({ userId }) => write("UPDATE users SET status = 'suspended' WHERE id = $1", [userId]),
    status: 403,
    code: 'account_inactive',
  },
  {
    what: 'has let its profile expire',
    lose: ({ userId }) => write("UPDATE users SET status = 'inactive' WHERE id = $1", [userId]),
    status: 403,
    code: 'account_inactive',
  },
  {
    what: 'is deleted',
    lose: ({ userId }) =>
      world.db.inTenant(TENANT, (tx) =>
        anonymiseUser(tx, { tenantId: TENANT, userId }, { now: new Date(), subjectHash: () => userId }),
      ),
    status: 404,
    code: 'order_not_found',
  },
  {
    what: 'changes its customer',
    lose: ({ userId }) => write("UPDATE users SET customer_id = 'other' WHERE id = $1", [userId]),
    status: 404,
    code: 'order_not_found',
  },
  {
    what: 'sees the order go to another customer',
    lose: ({ orderId }) => write("UPDATE orders SET customer_id = 'other' WHERE id = $1", [orderId]),
    status: 404,
    code: 'order_not_found',
  },
];

for (const { what, lose, status, code } of LOSSES) {
  test(`the stream of a user who ${what} ends, and says why, as whoever asks again is told`, async (t) => {
    const [reading, other] = [await startReading(), await startReading()];
    await lose(reading);
    const [end, ...more] = await reading.stream.rest();
    t.like(end, { id: '', event: 'end', data: { code, retryable: false } });
    t.deepEqual(more, []);
    t.deepEqual(await reading.again(), { status, code });
    await happen(other.orderId);
    t.is((await other.stream.next())?.id, '3');
  });
}

test('a stream ends with its token', async (t) => {
  const orderId = await placeOrder('c');
  // One that has run out is accepted for 5 s, since clocks differ.
  const token = await api.token('service', 'shop', TENANT, '2s ago');
  const stream = await openEventStream(`${api.url}/orders/${orderId}/events`, { Authorization: `Bearer ${token}` });
  t.is(stream.status, 200);
  t.like((await stream.rest()).at(-1), { event: 'end', data: { code: 'unauthenticated', retryable: false } });
  const again = await fetch(`${api.url}/orders/${orderId}/events`, { headers: { Authorization: `Bearer ${token}` } });
  t.is(again.status, 401);
});

test('while rights can not be read streams go on, up to a limit, and are to be opened again', async (t) => {
  let looks = 0;
  const lostBy = async () => {
    looks += 1;
    throw new Error('away');
  };
  const patient = await startReading(await apiWith(t, { checkMs: 10, lostBy }));
  await until(() => looks > 3, { what: 'looks' });
  await happen(patient.orderId);
  t.is((await patient.stream.next())?.id, '3');
  const strict = await startReading(await apiWith(t, { checkMs: 10, maxUncheckedMs: 100, lostBy }));
  t.like((await strict.stream.rest()).at(-1), {
    event: 'end',
    data: { code: 'database_unavailable', retryable: true },
  });
});

test('the rights of all readers are looked at together', async (t) => {
  const sizes: number[] = [];
  const lostBy = async (readers: readonly unknown[]) => {
    sizes.push(readers.length);
    return readers.map(() => null);
  };
  const other = await apiWith(t, { checkMs: 10, lostBy });
  for (let n = 0; n < 5; n += 1) await startReading(other);
  await until(() => sizes.includes(5), { what: 'a look at all five' });
  t.true(sizes.every((size) => size <= 5));
});

test('a tenant that opens all the streams it can leaves others theirs, and hears when to come again', async (t) => {
  const other = await runApi(
    { ...world, scope: t },
    { settings: { STREAMS_MAX: '8', STREAMS_TENANT_SHARE: '0.5', STREAMS_CALLER_SHARE: '1' } },
  );
  const open = async (tenant: string, sub: string) => {
    const id = await placeOrder('c', tenant);
    const token = await other.token('service', sub, tenant);
    return openEventStream(`${other.url}/orders/${id}/events`, { Authorization: `Bearer ${token}` });
  };
  for (let n = 0; n < 4; n += 1) t.is((await open('greedy', `caller-${n}`)).status, 200);
  const refused = await other.ask('GET', `/orders/${await placeOrder('c', 'greedy')}/events`, {
    role: 'service',
    sub: 'one-more',
    tenant: 'greedy',
  });
  t.like(refused, { status: 429, body: { code: 'tenant_streams_exhausted', retryable: true } });
  t.is(refused.headers.get('Retry-After'), '5');
  t.is((await open('modest', 'caller')).status, 200);
  t.is((await open('third', 'caller')).status, 200);
});
