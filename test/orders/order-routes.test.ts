import test from 'ava';
import { z } from 'zod';
import { orderEventSchema } from '../../src/api/orders/order.schemas.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { Answer } from '../support/api.ts';
import { openEventStream } from '../support/event-stream.ts';
import { until } from '../support/until.ts';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, REFUSED_COUNTRY, service, type OrderWorld } from '../support/order-world.ts';

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api } = world);
});

test('an order is priced by us, paid, shipped, and completed when it is delivered', async (t) => {
  const { as, customerId } = await world.customer();
  const id = await world.place({ customerId, quantity: 3 });
  await world.untilStatus(id, 'shipped');
  const { body } = await api.ask('GET', `/orders/${id}`, as);
  t.like(body, {
    status: 'shipped',
    currency: 'EUR',
    totalMinor: 3_750,
    items: [{ sku: 'MUG', quantity: 3, unitPriceMinor: 1_250 }],
    refusal: null,
  });
  t.is((await api.ask('POST', `/orders/${id}/delivery`, as)).body['code'], 'forbidden');
  t.is((await api.ask('POST', `/orders/${id}/delivery`, service)).status, 202);
  await world.untilStatus(id, 'completed');
});

test('an order is followed live, and further on after a break', async (t) => {
  const { as, customerId } = await world.customer();
  const id = await world.place({ customerId });
  const url = `${api.url}/orders/${id}/events`;
  const headers = { Authorization: `Bearer ${await api.token('user', as.sub)}` };
  const stream = await openEventStream(url, headers);
  const seen = [];
  for (let event = await stream.next(); event !== null; event = await stream.next()) {
    const read = orderEventSchema.parse(event.data);
    seen.push(read);
    if (read.type === 'WaitStarted') break;
  }
  stream.leave();
  t.deepEqual(
    seen.filter(({ type }) => type === 'StepCompleted').map(({ step }) => step),
    ['validate_order', 'reserve_inventory', 'process_payment', 'create_shipment'],
  );
  await api.ask('POST', `/orders/${id}/delivery`, service);
  const rest = await (
    await openEventStream(url, { ...headers, 'Last-Event-ID': String(seen.at(-1)?.sequence) })
  ).rest();
  t.deepEqual(
    rest.map(({ data }) => orderEventSchema.parse(data).type),
    ['StepCompleted', 'ProcessCompleted'],
  );
  t.is(rest[0]?.id, String(seen.length + 1), 'none is missing and none comes twice');
});

test('a refused order says why, in words for its customer', async (t) => {
  const [unknown, abroad] = [await world.place({ sku: 'NONE' }), await world.place({ country: REFUSED_COUNTRY })];
  await Promise.all([world.untilStatus(unknown, 'refused'), world.untilStatus(abroad, 'refused')]);
  t.like((await api.ask('GET', `/orders/${unknown}`, service)).body, {
    refusal: { code: 'product_not_available' },
    totalMinor: null,
  });
  t.like((await api.ask('GET', `/orders/${abroad}`, service)).body, { refusal: { code: 'invalid_address' } });
  const { customerId } = z
    .object({ customerId: z.string() })
    .parse((await api.ask('GET', `/orders/${abroad}`, service)).body);
  t.like((await api.ask('GET', `/orders?status=refused&customerId=${customerId}`, service)).body, {
    items: { length: 1, 0: { id: abroad } },
  });
});

test('a customer cancels an order that the warehouse has not accepted, and everything is undone', async (t) => {
  const { as, customerId } = await world.customer();
  await api.ask('PUT', '/products/CUP', { role: 'admin', json: { name: 'Cup', priceMinor: 900, currency: 'EUR' } });
  await api.ask('POST', '/products/CUP/stock', { role: 'admin', json: { received: 5 } });
  const placed = Promise.withResolvers<string>();
  let asked: Promise<Answer> | undefined;
  world.beforePayment.set(customerId, async () => {
    const id = await placed.promise;
    if (asked === undefined) {
      asked = api.ask('POST', `/orders/${id}/cancel`, { ...as, json: { reason: 'changed my mind' } });
      throw new StepFailure('bank_away', 'The bank does not answer.');
    }
    // Paid only once the workflow has heard of the cancellation.
    const handle = world.client.workflow.getHandle(`order:${id}`);
    await until(
      async () =>
        ((await handle.fetchHistory()).events ?? []).some(
          (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
        ),
      { what: 'the Update' },
    );
  });
  placed.resolve(await world.place({ customerId, sku: 'CUP', quantity: 2 }));
  const id = await placed.promise;
  await world.untilStatus(id, 'cancelled');
  const answer = await asked;
  t.is(answer?.status, 202);
  t.regex(String(answer?.body['status']), /^cancell(ing|ed)$/);
  t.like((await api.ask('GET', `/orders/${id}`, as)).body, {
    status: 'cancelled',
    refusal: { code: 'cancelled', message: 'The order was cancelled.' },
  });
  t.like((await api.ask('GET', '/products/CUP', as)).body, { onHand: 5, reserved: 0, shipped: 0 });
  t.is((await api.ask('POST', `/orders/${id}/cancel`, as)).body['code'], 'process_closed');
});

test('an order on its way back can not be cancelled as well', async (t) => {
  const { as, customerId } = await world.customer();
  world.troubled.customers.add(customerId); // paying back fails for now, so that it stays on its way
  const id = await world.place({ customerId, country: REFUSED_COUNTRY });
  await world.untilStatus(id, 'cancelling');
  t.is((await api.ask('POST', `/orders/${id}/cancel`, as)).body['code'], 'process_turned_back');
  world.troubled.customers.delete(customerId);
});

test('a cancellation behind the point of no return is a 409', async (t) => {
  const { as, customerId } = await world.customer();
  const id = await world.place({ customerId });
  await world.untilStatus(id, 'shipped');
  const { status, body } = await api.ask('POST', `/orders/${id}/cancel`, {
    ...as,
    json: { reason: 'changed my mind' },
  });
  t.deepEqual([status, body['code']], [409, 'past_point_of_no_return']);
  t.is(await world.status(id), 'shipped');
});
