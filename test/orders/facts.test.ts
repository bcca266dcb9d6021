import { randomUUID } from 'node:crypto';
import test from 'ava';
import { recoverProcess } from '../../src/maintenance/watchdog/recover-process.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, service, TENANT, type OrderWorld } from '../support/order-world.ts';
import { until } from '../support/until.ts';

// What was told is in the rows; the signal that wakes a workflow may get lost, and the workflow with it.

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
let db: OrderWorld['db'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api, db } = world);
});

async function shipped(): Promise<string> {
  const id = await world.place();
  await world.untilStatus(id, 'shipped');
  return id;
}

/** A delivery that was answered, and whose signal no worker heard. */
async function deliverUnheard(id: string): Promise<void> {
  await rawTransaction(db.pool, TENANT, (client) =>
    client.query("UPDATE shipments SET status = 'delivered', delivered_at = now() WHERE order_id = $1", [id]),
  );
}

const recover = (processId: string) =>
  recoverProcess(
    { db, client: world.client, config: { ...world.config, PROCESS_STUCK_AFTER_MS: 1 } },
    { tenantId: TENANT, processId },
  );

test('a delivery whose signal got lost is heard when it is told again', async (t) => {
  const id = await shipped();
  await deliverUnheard(id);
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  await world.untilStatus(id, 'completed');
});

test('an order that was terminated before it heard of its delivery finds it when it goes on', async (t) => {
  const id = await shipped();
  await deliverUnheard(id);
  await world.client.workflow.getHandle(`order:${id}`).terminate('by hand');
  t.like(await recover(id), { classed: 'workflow_gone', action: 'restarted' });
  await world.untilStatus(id, 'completed');
});

test('the watchdog tells an order of a delivery that it has not heard of', async (t) => {
  const id = await shipped();
  t.like(await recover(id), { classed: 'waiting', action: 'none' });
  await deliverUnheard(id);
  t.like(await recover(id), { classed: 'unheard', action: 'told' });
  await world.untilStatus(id, 'completed');
});

test('a delivery that is told before the order is shipped is kept, and heard as soon as it is', async (t) => {
  const { id, heal } = await world.parkStep();
  await world.untilProcess(id, 'step_failed');
  const headers = { 'Idempotency-Key': `delivery-${id}` };
  for (const _ of [1, 2]) t.is((await api.ask('POST', `/orders/${id}/delivery`, { ...service, headers })).status, 202);
  heal();
  await api.ask('POST', `/processes/${id}/retry-step`, { role: 'operator', sub: 'op' });
  await world.untilStatus(id, 'completed');
  t.is((await db.inTenant(TENANT, (tx) => tx.shipment.findFirst({ where: { orderId: id } })))?.status, 'delivered');
});

test('a delivery of an order that is not to be shipped any more is a conflict', async (t) => {
  const id = await world.place({ country: 'ZZ' });
  await world.untilStatus(id, 'refused');
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).body['code'], 'shipment_not_found');
});

test('goods of a refund whose signal got lost are found in its row', async (t) => {
  const id = await shipped();
  await api.ask('POST', `/orders/${id}/delivery`, service);
  await world.untilStatus(id, 'completed');
  const { body } = await api.ask('POST', `/orders/${id}/refunds`, {
    ...service,
    headers: { 'Idempotency-Key': randomUUID() },
    json: { amountMinor: 500, items: [{ sku: 'MUG', quantity: 1 }] },
  });
  const refundId = String(body['id']);
  await world.untilProcess(refundId, 'waiting');
  await rawTransaction(db.pool, TENANT, (client) =>
    client.query('UPDATE refunds SET goods_returned_at = now() WHERE id = $1', [refundId]),
  );
  await until(async () => (await recover(refundId)).action === 'told', { what: 'the refund to be told' });
  await world.untilProcess(refundId, 'completed');
  t.pass();
});
