import { randomUUID } from 'node:crypto';
import test from 'ava';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, operator, service, type OrderWorld } from '../support/order-world.ts';

// What a process that was ended by hand has left over is shown, and settled by moves of the API.

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api } = world);
});

const because = { reason: 'settled by hand' };

/** A product of which there are ten. */
async function product(): Promise<string> {
  const sku = randomUUID();
  await api.ask('PUT', `/products/${sku}`, { role: 'admin', json: { name: 'Cup', priceMinor: 500, currency: 'EUR' } });
  await api.ask('POST', `/products/${sku}/stock`, { role: 'admin', json: { received: 10 } });
  return sku;
}

async function stockOf(sku: string): Promise<unknown[]> {
  const { body } = await api.ask('GET', `/products/${sku}`, service);
  return [body['onHand'], body['reserved'], body['shipped']];
}

async function leftOver(processId: string): Promise<unknown> {
  return (await api.ask('GET', `/processes/${processId}`, operator)).body['leftOver'];
}

/** What the customer of an order owes, in minor units. */
async function owed(orderId: string): Promise<number> {
  const { customerId } = (await api.ask('GET', `/orders/${orderId}`, service)).body;
  const account = await world.db.inTenant('default', (tx) =>
    tx.creditAccount.findFirstOrThrow({ where: { customerId: String(customerId) } }),
  );
  return Number(account.owedMinor);
}

/** An order of two pieces whose shipment had an unknown outcome, and which was given up. */
async function abandoned(sku: string): Promise<string> {
  const city = randomUUID();
  world.troubled.cities.add(city);
  const id = await world.place({ sku, quantity: 2, city });
  await world.untilProcess(id, 'step_failed');
  t200(await api.ask('POST', `/processes/${id}/abandon`, { ...operator, json: because }));
  return id;
}

function t200({ status, body }: { status: number; body: unknown }): void {
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
}

const settle = (processId: string, moves: object, more: object = {}) =>
  api.ask('POST', `/processes/${processId}/settle`, { ...operator, ...more, json: { ...moves, ...because } });

async function settled(processId: string, moves: object, end = 'completed'): Promise<string> {
  const { status, body } = await settle(processId, moves);
  if (status !== 202) throw new Error(`${status}: ${JSON.stringify(body)}`);
  const id = String(body['id']);
  await world.untilProcess(id, end);
  return id;
}

test('an order that was given up shows what is left over; pieces are released, money goes back', async (t) => {
  const sku = await product();
  const id = await abandoned(sku);
  const left = {
    payment: { amountMinor: 1_000, currency: 'EUR', provider: 'ledger', status: 'captured' },
    pieces: [{ sku, quantity: 2 }],
  };
  t.deepEqual(await leftOver(id), left);
  t.deepEqual((await api.ask('GET', `/orders/${id}`, operator)).body['leftOver'], left);
  t.deepEqual([await stockOf(sku), await owed(id)], [[10, 2, 0], 1_000]);
  const settlementId = await settled(id, { payment: 'refund', pieces: 'release' });
  t.deepEqual([await stockOf(sku), await owed(id)], [[10, 0, 0], 0]);
  t.deepEqual(await leftOver(id), {});
  t.like((await api.ask('GET', `/processes/${settlementId}`, operator)).body, {
    type: 'settlement',
    data: { settled: { type: 'order', id }, decided: { command: 'settle', by: 'op', ...because } },
  });
  t.is((await settle(id, { payment: 'refund' })).body['code'], 'nothing_left_over');
});

test('what is written off is a loss in the ledger, and has left the stock', async (t) => {
  const sku = await product();
  const id = await abandoned(sku);
  await settled(id, { payment: 'write_off', pieces: 'write_off' });
  t.deepEqual([await stockOf(sku), await owed(id), await leftOver(id)], [[8, 0, 2], 0, {}]);
  const transfers = await world.db.inTenant('default', (tx) =>
    tx.ledgerTransfer.findMany({ where: { orderId: id, debitAccount: 'written_off' } }),
  );
  t.deepEqual(
    transfers.map(({ amountMinor }) => Number(amountMinor)),
    [1_000],
  );
});

test('an order that the payment could not be returned of is settled once its bank answers', async (t) => {
  const { id, heal } = await world.parkUndo();
  await world.untilProcess(id, 'compensation_failed');
  t200(
    await api.ask('POST', `/processes/${id}/skip-compensation`, {
      ...operator,
      json: { step: 'process_payment', ...because },
    }),
  );
  t.like(await leftOver(id), { payment: { status: 'captured' }, pieces: undefined });
  const { body } = await settle(id, { payment: 'refund' });
  const settlementId = String(body['id']);
  await world.untilProcess(settlementId, 'step_failed');
  t.is((await settle(id, { payment: 'refund' })).body['code'], 'settlement_under_way');
  t200(await api.ask('POST', `/processes/${settlementId}/abandon`, { ...operator, json: because }));
  t.like(await leftOver(settlementId), { payment: { status: 'captured' } }, 'a settlement is settled like its order');
  heal();
  await settled(settlementId, { payment: 'refund' });
  t.deepEqual([await leftOver(id), await leftOver(settlementId), await owed(id)], [{}, {}, 0]);
});

test('a move is refused before the process is over, and where nothing is left or none is named', async (t) => {
  const sku = await product();
  const open = await world.place({ sku });
  await world.untilStatus(open, 'shipped');
  t.is((await settle(open, { payment: 'refund' })).body['code'], 'process_open');
  t.deepEqual(await leftOver(open), {});
  const id = await abandoned(sku);
  for (const moves of [{}, { shipment: 'call_back' }, { shipment: 'call_back', pieces: 'release' }])
    t.like((await settle(id, moves)).body, { status: 409, code: 'nothing_left_over' });
  t.is((await settle(randomUUID(), { payment: 'refund' })).body['code'], 'process_not_found');
  t.is((await settle(id, { payment: 'keep' })).status, 400);
});

test('a repeated request settles once, and answers the settlement of the first', async (t) => {
  const sku = await product();
  const id = await abandoned(sku);
  const again = { headers: { 'Idempotency-Key': randomUUID() } };
  const [one, two] = [await settle(id, { pieces: 'release' }, again), await settle(id, { pieces: 'release' }, again)];
  t.deepEqual([one.status, two.status, two.body['id']], [202, 202, one.body['id']]);
  await world.untilProcess(String(one.body['id']), 'completed');
  t.deepEqual(await stockOf(sku), [10, 0, 0]);
});

test('a lost order is settled by its payment, a returned one by its pieces too', async (t) => {
  const sku = await product();
  const [lost, returned] = [await world.place({ sku, quantity: 2 }), await world.place({ sku, quantity: 2 })];
  for (const [id, outcome] of [
    [lost, 'lost'],
    [returned, 'returned'],
  ] as const) {
    await world.untilStatus(id, 'shipped');
    await api.ask('POST', `/orders/${id}/${outcome}`, operator);
    await world.untilStatus(id, outcome);
  }
  t.like(await leftOver(lost), { payment: { amountMinor: 1_000 }, pieces: undefined });
  t.like(await leftOver(returned), { payment: { amountMinor: 1_000 }, pieces: [{ sku, quantity: 2 }] });
  await settled(lost, { payment: 'refund' });
  await settled(returned, { payment: 'refund', pieces: 'release' });
  t.deepEqual([await stockOf(sku), await leftOver(lost), await leftOver(returned)], [[8, 0, 2], {}, {}]);
  const { body } = await api.ask('POST', `/orders/${returned}/refunds`, { ...service, json: { amountMinor: 1 } });
  t.like((await world.untilProcess(String(body['id']), 'compensated')).body, {
    cause: { code: 'refund_exceeds_payment' },
  });
});

/** A refund of a delivered order that the bank does not pay, with goods that came back. */
async function unpaid(sku: string): Promise<{ orderId: string; refundId: string; heal: () => void }> {
  const { customerId } = await world.customer();
  const orderId = await world.place({ customerId, sku, quantity: 2 });
  await world.untilStatus(orderId, 'shipped');
  await api.ask('POST', `/orders/${orderId}/delivery`, service);
  await world.untilStatus(orderId, 'completed');
  world.troubled.customers.add(customerId);
  const items = [{ sku, quantity: 1 }];
  const asked = await api.ask('POST', `/orders/${orderId}/refunds`, { ...service, json: { amountMinor: 500, items } });
  const refundId = String(asked.body['id']);
  await world.untilProcess(refundId, 'waiting');
  await api.ask('POST', `/refunds/${refundId}/goods-returned`, service);
  await world.untilProcess(refundId, 'step_failed');
  return { orderId, refundId, heal: () => void world.troubled.customers.delete(customerId) };
}

test('a refund that was paid by hand is skipped, and in the books like any other', async (t) => {
  const { orderId, refundId, heal } = await unpaid(await product());
  heal();
  t200(await api.ask('POST', `/processes/${refundId}/skip-step`, { ...operator, json: because }));
  await world.untilProcess(refundId, 'completed');
  t.deepEqual([await owed(orderId), await leftOver(refundId)], [500, {}]);
});

test('a refund that was given up is paid after all, or frees its sum and its goods', async (t) => {
  const sku = await product();
  const [paid, freed] = await Promise.all([unpaid(sku), unpaid(sku)]);
  for (const { refundId, heal } of [paid, freed]) {
    t200(await api.ask('POST', `/processes/${refundId}/abandon`, { ...operator, json: because }));
    t.like((await api.ask('GET', `/refunds/${refundId}`, operator)).body, {
      leftOver: { payment: { amountMinor: 500, status: 'accepted' }, pieces: undefined },
    });
    heal();
  }
  await settled(paid.refundId, { payment: 'refund' });
  t.deepEqual([await owed(paid.orderId), await leftOver(paid.refundId)], [500, {}]);
  await settled(freed.refundId, { payment: 'write_off' });
  t.deepEqual(await leftOver(freed.refundId), { pieces: [{ sku, quantity: 1 }] });
  t.deepEqual([await stockOf(sku), await owed(freed.orderId)], [[8, 0, 2], 1_000]);
  await settled(freed.refundId, { pieces: 'write_off' });
  t.deepEqual([await stockOf(sku), await leftOver(freed.refundId)], [[7, 0, 3], {}]);
});

test("an order's customer does not read what it has left over", async (t) => {
  const { customerId, as } = await world.customer();
  const id = await world.place({ customerId });
  await world.untilStatus(id, 'shipped');
  t.false('leftOver' in (await api.ask('GET', `/orders/${id}`, service)).body, 'it is not over');
  await api.ask('POST', `/orders/${id}/lost`, operator);
  await world.untilStatus(id, 'lost');
  t.false('leftOver' in (await api.ask('GET', `/orders/${id}`, as)).body);
  t.true('leftOver' in (await api.ask('GET', `/orders/${id}`, service)).body);
});
