import { randomUUID } from 'node:crypto';
import test from 'ava';
import { z } from 'zod';
import { processSchema } from '../../src/api/process.schemas.ts';
import { until } from '../support/until.ts';
import { createOrderWorld, operator, REFUSED_COUNTRY } from './order-world.ts';

const world = await createOrderWorld();
test.after.always(() => world.close());
const { api } = world;

/** An order that can't be undone: it was refused after the payment, which can't be paid back. */
async function parkUndo(): Promise<{ id: string; heal: () => void }> {
  const { customerId } = await world.customer();
  world.troubled.customers.add(customerId);
  return { id: await world.place({ customerId, country: REFUSED_COUNTRY }), heal: () => { world.troubled.customers.delete(customerId); } };
}
/** An order of which nobody knows whether the warehouse has it. */
async function parkStep(): Promise<{ id: string; heal: () => void }> {
  const city = randomUUID();
  world.troubled.cities.add(city);
  return { id: await world.place({ city }), heal: () => { world.troubled.cities.delete(city); } };
}
const command = (id: string, name: string, json?: object, headers: Record<string, string> = {}) =>
  api.ask('POST', `/processes/${id}/${name}`, { ...operator, ...(json === undefined ? {} : { json }), headers });
const stepOf = (body: unknown, name: string) => processSchema.parse(body).steps.find(({ step }) => step === name);
const reason = 'Paid back by hand';

test('the timeline of a parked process tells every step, attempt, cause and undo', async (t) => {
  const { id } = await parkUndo();
  const { body } = await world.untilProcess(id, 'compensation_failed');
  const { cause, retry, steps, events, workflowId, data } = processSchema.parse(body);
  t.like(cause, { code: 'invalid_address', class: 'refused' });
  t.is(retry, null);
  t.is(workflowId, `order:${id}`);
  t.like(data, { totalMinor: 1_250, currency: 'EUR' });
  t.deepEqual(steps.map(({ step, status }) => `${step} ${status}`), [
    'validate_order completed', 'reserve_inventory compensated', 'process_payment compensation_failed', 'create_shipment failed',
  ]);
  t.like(stepOf(body, 'process_payment'), { kind: 'acts', isPivot: false, attempts: 1, compensation: { attempts: 4, error: { code: 'bank_away', class: 'transient' } } });
  t.deepEqual(events.map(({ sequence }) => sequence), events.map((_, index) => index + 1));
  t.is(events.at(-1)?.type, 'CompensationParked');
});

test('a process under way tells what is still to come, and when a failed step is tried again', async (t) => {
  const { id, heal } = await parkStep();
  await until(async () => processSchema.parse((await api.ask('GET', `/processes/${id}`, operator)).body).retry !== null, { what: 'a failed attempt' });
  const { body } = await api.ask('GET', `/processes/${id}`, operator);
  t.like(body, { status: 'running', currentStep: 'create_shipment', retry: { error: { code: 'warehouse_timed_out', class: 'unknown' } } });
  t.like(stepOf(body, 'await_delivery'), { kind: 'waits', status: 'pending', startedAt: null });
  heal();
  await world.untilStatus(id, 'shipped');
});

test('an undo that failed is tried again', async (t) => {
  const { id, heal } = await parkUndo();
  await world.untilProcess(id, 'compensation_failed');
  t.is((await command(id, 'retry-step')).body['code'], 'process_not_parked');
  heal();
  const { status, body } = await command(id, 'retry-compensation', { reason: 'the bank is back' });
  t.is(status, 200);
  t.like(body, { id });
  const compensated = await world.untilProcess(id, 'compensated');
  t.is(stepOf(compensated.body, 'process_payment')?.status, 'compensated');
  t.is(await world.status(id), 'refused');
});

test('an undo that failed is skipped for a reason, and the process says that something is not undone', async (t) => {
  const { id } = await parkUndo();
  await world.untilProcess(id, 'compensation_failed');
  for (const wrong of [{}, { step: 'process_payment' }, { reason }, { step: 'process_payment', reason: '' }]) {
    t.is((await command(id, 'skip-compensation', wrong)).body['code'], 'validation_failed', JSON.stringify(wrong));
  }
  t.is((await command(id, 'skip-compensation', { step: 'create_shipment', reason })).body['code'], 'unknown_step');
  const skip = { step: 'process_payment', reason };
  const first = await command(id, 'skip-compensation', skip, { 'Idempotency-Key': id });
  t.is(first.status, 200);
  const { body } = await world.untilProcess(id, 'abandoned');
  t.like(stepOf(body, 'process_payment'), { status: 'skipped', decided: { command: 'skipCompensation', by: 'op', reason } });
  t.deepEqual((await command(id, 'skip-compensation', skip, { 'Idempotency-Key': id })).body, first.body, 'the first answer');
  t.is((await command(id, 'skip-compensation', skip)).body['code'], 'process_closed');
});

test('a step that failed where there is no way back is tried again', async (t) => {
  const { id, heal } = await parkStep();
  await world.untilProcess(id, 'step_failed');
  t.is((await command(id, 'cancel')).body['code'], 'past_point_of_no_return');
  t.is((await command(id, 'retry-compensation')).body['code'], 'process_not_parked');
  heal();
  t.is((await command(id, 'retry-step')).status, 200);
  await world.untilStatus(id, 'shipped');
  t.like(stepOf((await api.ask('GET', `/processes/${id}`, operator)).body, 'create_shipment'), { status: 'completed', decided: { command: 'retryStep', reason: null } });
});

test('a step that failed where there is no way back is skipped for a reason', async (t) => {
  const { id } = await parkStep();
  await world.untilProcess(id, 'step_failed');
  t.is((await command(id, 'skip-step', {})).body['code'], 'validation_failed');
  t.is((await command(id, 'skip-step', { reason })).status, 200);
  await world.untilStatus(id, 'shipped');
});

test('a parked process is abandoned for a reason, once, and no workflow is started for it again', async (t) => {
  const { id } = await parkStep();
  await world.untilProcess(id, 'step_failed');
  t.like((await command(id, 'abandon', { reason })).body, { status: 'abandoned', currentStep: null });
  const handle = world.client.workflow.getHandle(`order:${id}`);
  await until(async () => (await handle.describe()).status.name === 'FAILED', { what: 'the end of the workflow' });
  const { runId } = await handle.describe();
  for (const [name, json] of Object.entries({ abandon: { reason }, cancel: {}, 'retry-step': {}, 'skip-step': { reason }, 'retry-compensation': {} })) {
    t.is((await command(id, name, json)).body['code'], 'process_closed', name);
  }
  t.like((await command(id, 'recover')).body, { classed: 'closed', action: 'none' });
  t.is((await handle.describe()).runId, runId);
  t.is(await world.status(id), 'failed');
});

test('a process whose workflow is gone goes on with a command, or when it is recovered', async (t) => {
  const [one, other] = [await world.place(), await parkStep()];
  await Promise.all([world.untilStatus(one, 'shipped'), world.untilProcess(other.id, 'step_failed')]);
  for (const id of [one, other.id]) await world.client.workflow.getHandle(`order:${id}`).terminate();
  t.like((await command(one, 'recover')).body, { processId: one, classed: 'workflow_gone', action: 'restarted' });
  t.is((await world.client.workflow.getHandle(`order:${one}`).describe()).status.name, 'RUNNING');
  other.heal();
  t.is((await command(other.id, 'retry-step')).status, 200);
  await world.untilStatus(other.id, 'shipped');
});

test('a process that nobody knows is not found, whatever is asked of it', async (t) => {
  const id = randomUUID();
  t.is((await api.ask('GET', `/processes/${id}`, operator)).body['code'], 'process_not_found');
  for (const [name, json] of Object.entries({ recover: undefined, cancel: {}, abandon: { reason }, 'skip-compensation': { step: 'x', reason } })) {
    t.is((await command(id, name, json)).body['code'], 'process_not_found', name);
  }
  const elsewhere = await world.place();
  t.is((await api.ask('POST', `/processes/${elsewhere}/cancel`, { ...operator, tenant: 'elsewhere' })).body['code'], 'process_not_found');
});

test('parked processes are found, and commanded together', async (t) => {
  const [first, second, third] = await Promise.all([parkUndo(), parkUndo(), parkStep()]);
  const parked = [first, second, third];
  await Promise.all([world.untilProcess(first.id, 'compensation_failed'), world.untilProcess(second.id, 'compensation_failed'), world.untilProcess(third.id, 'step_failed')]);
  const listed = z.object({ items: z.array(z.object({ id: z.string(), status: z.string() })) });
  const ids = async (query: string) => listed.parse((await api.ask('GET', `/processes?limit=100&${query}`, operator)).body).items.map(({ id }) => id);
  t.true((await ids('status=compensation_failed&type=order&step=process_payment')).includes(first.id));
  t.deepEqual(await ids('status=compensation_failed&step=reserve_inventory'), []);
  t.deepEqual(await ids('status=compensation_failed&type=refund'), []);
  t.deepEqual(await ids('olderThan=3600'), []);
  t.true((await ids('olderThan=0')).includes(third.id));
  for (const { heal } of parked) heal();
  const processIds = parked.map(({ id }) => id);
  const bulk = async (name: string, json: object) => {
    const { status, body } = await api.ask('POST', `/processes/bulk/${name}`, { ...operator, json });
    t.is(status, 202);
    const href = String(body['href']);
    await until(async () => (await api.ask('GET', href, operator)).body['state'] === 'completed', { what: name });
    return (await api.ask('GET', href, operator)).body;
  };
  t.like(await bulk('retry-compensation', { filter: { processIds, status: 'compensation_failed' }, reason }), { matched: 2, signalled: 2 });
  await Promise.all([first, second].map(({ id }) => world.untilProcess(id, 'compensated')));
  t.like(await bulk('abandon', { filter: { processIds }, reason }), { matched: 1, signalled: 1 }, 'what is over is left out');
  const { body } = await world.untilProcess(third.id, 'abandoned');
  t.like(processSchema.parse(body).events.at(-1), { type: 'ProcessAbandoned', detail: { decided: { command: 'abandon', by: 'op', reason } } });
  t.like(await bulk('recover', { filter: { processIds } }), { matched: 0, signalled: 0 });
});

test('a bulk command names what it is about and why', async (t) => {
  for (const [name, json] of Object.entries({
    abandon: { filter: { status: 'step_failed' } }, cancel: { filter: {} }, 'skip-step': { filter: { type: 'order' }, reason: '' },
    'skip-compensation': { filter: { type: 'order' }, reason }, recover: { filter: { type: 'order' }, reason },
  })) {
    t.is((await api.ask('POST', `/processes/bulk/${name}`, { ...operator, json })).body['code'], 'validation_failed', name);
  }
});

test('processes come in pages, newest first, each once', async (t) => {
  const placed = [await world.place(), await world.place(), await world.place()];
  const page = z.object({ items: z.array(z.object({ id: z.string(), startedAt: z.string() })), nextCursor: z.string().nullable() });
  const seen: z.output<typeof page>['items'] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const read: z.output<typeof page> = page.parse((await api.ask('GET', `/processes?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, operator)).body);
    seen.push(...read.items);
    cursor = read.nextCursor;
  }
  t.is(new Set(seen.map(({ id }) => id)).size, seen.length);
  t.deepEqual(placed.filter((id) => !seen.some((each) => each.id === id)), []);
  t.deepEqual(seen.map(({ startedAt }) => startedAt), seen.map(({ startedAt }) => startedAt).toSorted().toReversed());
});
