import { randomUUID } from 'node:crypto';
import test from 'ava';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, operator, service, type OrderWorld } from '../support/order-world.ts';

// What operators decide leaves money, stock and shipments right.

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api } = world);
});

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

/** An order whose shipment has an unknown outcome, until it is healed. */
async function parked(sku: string): Promise<{ id: string; heal: () => void }> {
  const city = randomUUID();
  world.troubled.cities.add(city);
  const id = await world.place({ sku, quantity: 2, city });
  await world.untilProcess(id, 'step_failed');
  return { id, heal: () => void world.troubled.cities.delete(city) };
}

async function refund(id: string, items: { sku: string; quantity: number }[] = []): Promise<string> {
  const { body } = await api.ask('POST', `/orders/${id}/refunds`, { ...service, json: { amountMinor: 1_000, items } });
  return String(body['id']);
}

test('a shipment that was sent by hand and skipped is delivered and refunded like any other', async (t) => {
  const sku = await product();
  const { id } = await parked(sku);
  t.deepEqual(await stockOf(sku), [10, 2, 0]);
  const skipped = await api.ask('POST', `/processes/${id}/skip-step`, { ...operator, json: { reason: 'by hand' } });
  t.is(skipped.status, 200);
  await world.untilStatus(id, 'shipped');
  t.deepEqual(await stockOf(sku), [8, 0, 2]);
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  await world.untilStatus(id, 'completed');
  await world.untilProcess(await refund(id), 'completed');
});

test('a shipped order whose parcel is lost is over, and refunded', async (t) => {
  const sku = await product();
  const id = await world.place({ sku, quantity: 2 });
  await world.untilStatus(id, 'shipped');
  t.is((await api.ask('POST', `/orders/${id}/lost`, service)).status, 403);
  for (const _ of ['once', 'twice']) t.is((await api.ask('POST', `/orders/${id}/lost`, operator)).status, 202);
  await world.untilStatus(id, 'lost');
  t.like((await api.ask('GET', '/orders?status=lost', service)).body, { items: { 0: { id } } });
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).body['code'], 'delivery_known');
  await world.untilProcess(await refund(id), 'completed');
  t.deepEqual(await stockOf(sku), [8, 0, 2]);
});

test('a shipped order whose parcel came back is over, and refunded once its goods are in stock', async (t) => {
  const sku = await product();
  const id = await world.place({ sku, quantity: 2 });
  await world.untilStatus(id, 'shipped');
  t.is((await api.ask('POST', `/orders/${id}/returned`, operator)).status, 202);
  await world.untilStatus(id, 'returned');
  const refundId = await refund(id, [{ sku, quantity: 2 }]);
  await world.untilProcess(refundId, 'waiting');
  await api.ask('POST', `/refunds/${refundId}/goods-returned`, operator);
  await world.untilProcess(refundId, 'completed');
  t.deepEqual(await stockOf(sku), [10, 0, 0]);
});

test('an order that was not shipped can not be lost', async (t) => {
  const { id } = await parked(await product());
  t.is((await api.ask('POST', `/orders/${id}/lost`, operator)).body['code'], 'shipment_not_found');
});
