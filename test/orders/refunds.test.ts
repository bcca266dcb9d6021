import { randomUUID } from 'node:crypto';
import test from 'ava';
import { z } from 'zod';
import { until } from '../support/until.ts';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, operator, service, type OrderWorld } from '../support/order-world.ts';

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api } = world);
});

async function completed(quantity: number): Promise<string> {
  const id = await world.place({ quantity });
  await world.untilStatus(id, 'shipped');
  await api.ask('POST', `/orders/${id}/delivery`, service);
  await world.untilStatus(id, 'completed');
  return id;
}
const refund = (orderId: string, json: object, headers: Record<string, string> = {}) =>
  api.ask('POST', `/orders/${orderId}/refunds`, { ...service, json, headers });
const untilRefund = (id: unknown, status: string) =>
  until(async () => (await api.ask('GET', `/refunds/${String(id)}`, operator)).body['status'] === status, {
    what: `refund ${status}`,
  });

test('money goes back for a completed order, once for its Idempotency-Key', async (t) => {
  const orderId = await completed(2);
  const key = { 'Idempotency-Key': randomUUID() };
  const asked = await refund(orderId, { amountMinor: 500 }, key);
  t.is(asked.status, 201);
  t.is(asked.headers.get('Location'), `/refunds/${String(asked.body['id'])}`);
  t.like(asked.body, { orderId, amountMinor: 500, currency: 'EUR', items: [], refusal: null });
  await untilRefund(asked.body['id'], 'paid');
  await api.db.inTenant('default', (tx) => tx.idempotencyKey.deleteMany({ where: { key: key['Idempotency-Key'] } }));
  t.like((await refund(orderId, { amountMinor: 500 }, key)).body, { id: asked.body['id'], status: 'paid' });
});

test('money waits for goods that have to come back', async (t) => {
  const orderId = await completed(3);
  const { body } = await refund(orderId, { amountMinor: 1_250, items: [{ sku: 'MUG', quantity: 1 }] });
  const id = z.string().parse(body['id']);
  await untilRefund(id, 'awaiting_goods');
  t.is((await api.ask('POST', `/refunds/${id}/goods-returned`, service)).status, 202);
  await untilRefund(id, 'paid');
  t.is((await api.ask('POST', `/refunds/${id}/goods-returned`, service)).body['code'], 'process_closed');
});

test('more than was paid is refused, and says why', async (t) => {
  const orderId = await completed(1);
  const { body } = await refund(orderId, { amountMinor: 1_251 });
  await untilRefund(body['id'], 'refused');
  t.like((await api.ask('GET', `/refunds/${String(body['id'])}`, operator)).body, {
    refusal: { code: 'refund_exceeds_payment' },
  });
});

test('only a completed order is refunded, and not by its customer', async (t) => {
  const { as, customerId } = await world.customer();
  const orderId = await world.place({ customerId });
  await world.untilStatus(orderId, 'shipped');
  t.is((await refund(orderId, { amountMinor: 1 })).body['code'], 'order_not_completed');
  const refused = await world.place({ customerId, quantity: 10_000 });
  await world.untilStatus(refused, 'refused');
  t.like((await refund(refused, { amountMinor: 1 })).body, { code: 'order_ended', retryable: false });
  t.is((await refund(randomUUID(), { amountMinor: 1 })).body['code'], 'order_not_found');
  t.is(
    (await api.ask('POST', `/orders/${orderId}/refunds`, { ...as, json: { amountMinor: 1 } })).body['code'],
    'forbidden',
  );
  t.is((await api.ask('GET', `/refunds/${randomUUID()}`, service)).body['code'], 'refund_not_found');
});
