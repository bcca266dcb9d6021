import { randomUUID } from 'node:crypto';
import test from 'ava';
import { z } from 'zod';
import type { ShippingPort } from '../../src/gateways/shipping/shipping-port.ts';
import { around } from '../support/faulty-ports.ts';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, operator, service, type OrderWorld } from '../support/order-world.ts';
import { addProduct } from './operator.ts';

// An order that was given up is a dead letter: replayed, it is parked again; discarded, it stays as it is.

const scope = fileScope();
const because = { reason: 'settled by hand' };
const ADDRESS = { name: 'Ada', street: 'Street 1', postalCode: '1', city: 'Paris', country: 'FR' };
/** What the warehouse was called for, by order, and orders whose shipment it has taken in though nobody heard. */
const calls = new Map<string, string[]>();
const taken = new Set<string>();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope, {
    ports: (ours) => ({ ...ours, shipping: around(ours.shipping, withMemory) }),
  });
  ({ api } = world);
});

function withMemory(warehouse: ShippingPort): ShippingPort {
  const note = (call: string, orderIds: readonly string[]): void => {
    for (const id of orderIds) calls.set(id, [...(calls.get(id) ?? []), call]);
  };
  return {
    ...warehouse,
    find: async (request) => {
      note('find', request.orderIds);
      const late = request.orderIds.filter((orderId) => taken.has(orderId));
      await warehouse.accept({ ...request, calls: late.map((orderId) => ({ orderId, shipTo: ADDRESS })) });
      return warehouse.find(request);
    },
    accept: async (request) => {
      note(
        'accept',
        request.calls.map(({ orderId }) => orderId),
      );
      return warehouse.accept(request);
    },
  };
}

const letterSchema = z.looseObject({ id: z.string(), messageId: z.string(), status: z.string(), payload: z.string() });

async function letterOf(processId: string): Promise<z.output<typeof letterSchema>> {
  const { body } = await api.ask('GET', '/dead-letters?source=process&limit=100', operator);
  const found = z.array(letterSchema).parse(body['items']);
  const letter = found.find(({ messageId }) => messageId === processId);
  if (letter === undefined) throw new Error(`${processId} has no dead letter`);
  return letter;
}

async function done(method: string, path: string, json?: object): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await api.ask(method, path, { ...operator, ...(json === undefined ? {} : { json }) });
  if (status >= 300) throw new Error(`${path} is ${status} ${JSON.stringify(body)}`);
  return body;
}

const replay = async (processId: string, json?: object) =>
  api.ask('POST', `/dead-letters/${(await letterOf(processId)).id}/replay`, {
    ...operator,
    ...(json === undefined ? {} : { json }),
  });

/** An order of two pieces whose shipment has an unknown outcome, and which was given up. */
async function abandoned(sku = 'MUG'): Promise<{ id: string; heal: () => void }> {
  const city = randomUUID();
  world.troubled.cities.add(city);
  const id = await world.place({ sku, quantity: 2, city });
  await world.untilProcess(id, 'step_failed');
  await done('POST', `/processes/${id}/abandon`, because);
  return { id, heal: () => void world.troubled.cities.delete(city) };
}

async function settled(id: string, moves: object, end = 'completed'): Promise<string> {
  const settlementId = String((await done('POST', `/processes/${id}/settle`, { ...moves, ...because }))['id']);
  await world.untilProcess(settlementId, end);
  return settlementId;
}

const leftOver = async (id: string): Promise<unknown> => (await done('GET', `/processes/${id}`))['leftOver'];

test('an order that was given up is listed with its step, its cause, who gave it up and why', async (t) => {
  const { id } = await abandoned();
  const letter = await letterOf(id);
  t.like(letter, {
    source: 'process',
    type: 'order',
    cause: 'warehouse_timed_out',
    status: 'parked',
    detail: 'Abandoned at create_shipment by op: settled by hand',
  });
  t.like(JSON.parse(letter.payload), {
    processId: id,
    step: 'create_shipment',
    cause: { code: 'warehouse_timed_out', class: 'unknown' },
    decided: { command: 'abandon', by: 'op', ...because },
  });
  t.is((await api.ask('GET', `/dead-letters/${letter.id}`, { ...operator, tenant: 'elsewhere' })).status, 404);
});

test('a replay parks the order again, and its retry asks first what happened meanwhile', async (t) => {
  const { id, heal } = await abandoned();
  t.is(await world.status(id), 'failed');
  const reason = 'the warehouse answers again';
  t.like((await replay(id, { reason })).body, {
    outcome: 'replayed',
    deadLetter: { status: 'replayed', resolvedBy: 'op', reason, replays: 1 },
  });
  t.is(await world.status(id), 'paid');
  const { body } = await world.untilProcess(id, 'step_failed');
  const events = z.array(z.looseObject({ type: z.string(), step: z.string().nullable() })).parse(body['events']);
  t.like(events.at(-1), {
    type: 'ProcessReopened',
    step: 'create_shipment',
    detail: { decided: { command: 'reopen', by: 'op', reason } },
  });
  t.is((await replay(id)).body['code'], 'dead_letter_not_parked');

  heal();
  taken.add(id);
  calls.set(id, []);
  await done('POST', `/processes/${id}/retry-step`, {});
  await world.untilStatus(id, 'shipped');
  t.deepEqual(calls.get(id), ['find'], 'it was shipped already');
  await api.ask('POST', `/orders/${id}/delivery`, service);
  await world.untilStatus(id, 'completed');
  const steps = (await done('GET', `/processes/${id}`))['events'];
  const completed = z
    .array(z.looseObject({ type: z.string(), step: z.string().nullable() }))
    .parse(steps)
    .flatMap(({ type, step }) => (type === 'StepCompleted' ? [step] : []));
  t.is(new Set(completed).size, completed.length, 'nothing was done twice');
});

test('who follows an order reads on behind the end that it had', async (t) => {
  const { id } = await abandoned();
  await replay(id);
  await world.untilProcess(id, 'step_failed');
  await done('POST', `/processes/${id}/abandon`, because);
  const { body } = await api.ask('GET', `/orders/${id}/events`, service);
  const types = z
    .array(z.looseObject({ data: z.looseObject({ type: z.string() }) }))
    .parse(body['events'])
    .map(({ data }) => data.type);
  t.deepEqual(types.slice(-3), ['ProcessAbandoned', 'ProcessReopened', 'ProcessAbandoned']);
});

test('an order of which something is settled is not reopened, and a reopened one is not settled', async (t) => {
  const sku = await addProduct(world, 10);
  const { id } = await abandoned(sku);
  await settled(id, { pieces: 'release' });
  t.like((await replay(id)).body, { status: 409, code: 'process_settled' });
  t.like(await letterOf(id), { status: 'parked', cause: 'warehouse_timed_out', replays: 0 });

  const { id: stuck, heal } = await world.parkUndo();
  await world.untilProcess(stuck, 'compensation_failed');
  await done('POST', `/processes/${stuck}/abandon`, because);
  const settlementId = await settled(stuck, { payment: 'refund' }, 'step_failed');
  t.like((await replay(stuck)).body, { status: 409, code: 'settlement_under_way' });
  await done('POST', `/processes/${settlementId}/abandon`, because);
  t.like((await replay(stuck)).body, { code: 'process_settled' }, 'the money may have gone back');

  t.is((await replay(settlementId)).status, 200);
  heal();
  await done('POST', `/processes/${settlementId}/retry-step`, {});
  await world.untilProcess(settlementId, 'completed');
  t.deepEqual(await leftOver(stuck), {});

  const { id: open } = await abandoned();
  t.is((await replay(open)).status, 200);
  t.deepEqual(await leftOver(open), {});
  t.is(
    (await api.ask('POST', `/processes/${open}/settle`, { ...operator, json: { payment: 'refund', ...because } })).body[
      'code'
    ],
    'process_open',
  );
  await done('POST', `/processes/${open}/abandon`, because);
  await settled(open, { payment: 'refund', pieces: 'release' });
  t.deepEqual(await leftOver(open), {});
});

test('a settlement that was given up is not reopened once another one has settled the same', async (t) => {
  const { id, heal } = await world.parkUndo();
  await world.untilProcess(id, 'compensation_failed');
  await done('POST', `/processes/${id}/abandon`, because);
  const first = await settled(id, { payment: 'refund' }, 'step_failed');
  await done('POST', `/processes/${first}/abandon`, because);
  heal();
  await settled(id, { payment: 'refund' });
  t.like((await replay(first)).body, { status: 409, code: 'process_settled' });
});

test('settling and reopening at once exclude each other', async (t) => {
  const ends = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const { id } = await abandoned();
    const [reopening, settling] = await Promise.all([
      replay(id),
      api.ask('POST', `/processes/${id}/settle`, { ...operator, json: { payment: 'refund', ...because } }),
    ]);
    t.deepEqual([reopening.status, settling.status].filter((status) => status < 300).length, 1);
    ends.add(reopening.status === 200 ? 'reopened' : 'settled');
  }
  t.log([...ends].join());
});

test('an order whose customer was deleted meanwhile has no address: reopened it is refused, and undone', async (t) => {
  const sku = await addProduct(world, 10);
  const { id } = await abandoned(sku);
  const { customerId } = await done('GET', `/orders/${id}`);
  const user = await world.db.inTenant('default', (tx) =>
    tx.user.findFirstOrThrow({ where: { customerId: String(customerId) } }),
  );
  t.is((await api.ask('DELETE', `/users/${user.id}`, { role: 'admin', sub: 'boss' })).status, 204);
  t.is((await replay(id)).status, 200);
  await done('POST', `/processes/${id}/retry-step`, {});
  t.like((await world.untilProcess(id, 'compensated')).body, { cause: { code: 'invalid_address' } });
  t.deepEqual(await leftOver(id), {});
});

test('a discard settles the dead letter, and leaves what is left over to be settled', async (t) => {
  const sku = await addProduct(world, 10);
  const { id } = await abandoned(sku);
  const before = await leftOver(id);
  const { id: letterId } = await letterOf(id);
  t.like(await done('POST', `/dead-letters/${letterId}/discard`, because), { status: 'discarded', resolvedBy: 'op' });
  t.deepEqual(await leftOver(id), before);
  t.is(await world.status(id), 'failed');
  t.is((await replay(id)).body['code'], 'dead_letter_not_parked');
  await settled(id, { payment: 'refund', pieces: 'release' });
  t.deepEqual(await leftOver(id), {});
});

test('many are reopened or discarded at once, but for those that were settled', async (t) => {
  const three = await Promise.all([abandoned(), abandoned(), abandoned()]);
  const ids = three.map(({ id }) => id);
  const letters = await Promise.all(ids.map(letterOf));
  await settled(ids[0] ?? '', { payment: 'refund' });
  const filter = { ids: letters.map(({ id }) => id), source: 'process', cause: 'warehouse_timed_out' };
  t.deepEqual(await done('POST', '/dead-letters/replay', { filter, reason: 'all is well' }), {
    replayed: 2,
    failed: 0,
    skipped: 1,
    nextCursor: null,
  });
  for (const id of ids.slice(1)) await world.untilProcess(id, 'step_failed');
  t.deepEqual(await done('POST', '/dead-letters/discard', { filter, ...because }), { discarded: 1 });
});
