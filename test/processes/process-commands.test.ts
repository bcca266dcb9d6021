import { randomUUID } from 'node:crypto';
import test from 'ava';
import { processSchema } from '../../src/api/processes/process.schemas.ts';
import { until } from '../support/until.ts';
import { fileScope } from '../support/file-scope.ts';
import { createOrderWorld, operator, type OrderWorld } from '../support/order-world.ts';

const scope = fileScope();
let world: OrderWorld;
let api: OrderWorld['api'];
test.before(async () => {
  world = await createOrderWorld(scope);
  ({ api } = world);
});

const command = (id: string, name: string, json?: object, headers: Record<string, string> = {}) =>
  api.ask('POST', `/processes/${id}/${name}`, { ...operator, ...(json === undefined ? {} : { json }), headers });
const stepOf = (body: unknown, name: string) => processSchema.parse(body).steps.find(({ step }) => step === name);
const reason = 'Paid back by hand';

test('the timeline of a parked process tells every step, attempt, cause and undo', async (t) => {
  const { id } = await world.parkUndo();
  const { body } = await world.untilProcess(id, 'compensation_failed');
  const { cause, retry, steps, events, workflowId, data } = processSchema.parse(body);
  t.like(cause, { code: 'invalid_address', class: 'refused' });
  t.is(retry, null);
  t.is(workflowId, `order:${id}`);
  t.like(data, { totalMinor: 1_250, currency: 'EUR' });
  t.deepEqual(
    steps.map(({ step, status }) => `${step} ${status}`),
    [
      'validate_order completed',
      'reserve_inventory compensated',
      'process_payment compensation_failed',
      'create_shipment failed',
    ],
  );
  t.like(stepOf(body, 'process_payment'), {
    kind: 'acts',
    isPivot: false,
    attempts: 1,
    compensation: { attempts: 4, error: { code: 'bank_away', class: 'transient' } },
  });
  t.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
  );
  t.is(events.at(-1)?.type, 'CompensationParked');
});

test('a process under way tells what is still to come, and when a failed step is tried again', async (t) => {
  const { id, heal } = await world.parkStep();
  await until(
    async () => processSchema.parse((await api.ask('GET', `/processes/${id}`, operator)).body).retry !== null,
    { what: 'a failed attempt' },
  );
  const { body } = await api.ask('GET', `/processes/${id}`, operator);
  t.like(body, {
    status: 'running',
    currentStep: 'create_shipment',
    retry: { error: { code: 'warehouse_timed_out', class: 'unknown' } },
  });
  t.like(stepOf(body, 'await_delivery'), { kind: 'waits', status: 'pending', startedAt: null });
  heal();
  await world.untilStatus(id, 'shipped');
});

test('an undo that failed is tried again', async (t) => {
  const { id, heal } = await world.parkUndo();
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
  const { id } = await world.parkUndo();
  await world.untilProcess(id, 'compensation_failed');
  for (const wrong of [{}, { step: 'process_payment' }, { reason }, { step: 'process_payment', reason: '' }]) {
    t.is((await command(id, 'skip-compensation', wrong)).body['code'], 'validation_failed', JSON.stringify(wrong));
  }
  t.is((await command(id, 'skip-compensation', { step: 'create_shipment', reason })).body['code'], 'unknown_step');
  const skip = { step: 'process_payment', reason };
  const first = await command(id, 'skip-compensation', skip, { 'Idempotency-Key': id });
  t.is(first.status, 200);
  const { body } = await world.untilProcess(id, 'abandoned');
  t.like(stepOf(body, 'process_payment'), {
    status: 'skipped',
    decided: { command: 'skipCompensation', by: 'op', reason },
  });
  t.deepEqual(
    (await command(id, 'skip-compensation', skip, { 'Idempotency-Key': id })).body,
    first.body,
    'the first answer',
  );
  t.is((await command(id, 'skip-compensation', skip)).body['code'], 'process_closed');
});

test('a step that failed where there is no way back is tried again', async (t) => {
  const { id, heal } = await world.parkStep();
  await world.untilProcess(id, 'step_failed');
  t.is((await command(id, 'cancel')).body['code'], 'past_point_of_no_return');
  t.is((await command(id, 'retry-compensation')).body['code'], 'process_not_parked');
  heal();
  t.is((await command(id, 'retry-step')).status, 200);
  await world.untilStatus(id, 'shipped');
  t.like(stepOf((await api.ask('GET', `/processes/${id}`, operator)).body, 'create_shipment'), {
    status: 'completed',
    decided: { command: 'retryStep', reason: null },
  });
});

test('a step that failed where there is no way back is skipped for a reason', async (t) => {
  const { id } = await world.parkStep();
  await world.untilProcess(id, 'step_failed');
  t.is((await command(id, 'skip-step', {})).body['code'], 'validation_failed');
  t.is((await command(id, 'skip-step', { reason })).status, 200);
  await world.untilStatus(id, 'shipped');
});

test('a parked process is abandoned for a reason, once, and no workflow is started for it again', async (t) => {
  const { id } = await world.parkStep();
  await world.untilProcess(id, 'step_failed');
  t.like((await command(id, 'abandon', { reason })).body, { status: 'abandoned', currentStep: null });
  const handle = world.client.workflow.getHandle(`order:${id}`);
  await until(async () => (await handle.describe()).status.name === 'FAILED', { what: 'the end of the workflow' });
  const { runId } = await handle.describe();
  for (const [name, json] of Object.entries({
    abandon: { reason },
    cancel: {},
    'retry-step': {},
    'skip-step': { reason },
    'retry-compensation': {},
  })) {
    t.is((await command(id, name, json)).body['code'], 'process_closed', name);
  }
  t.like((await command(id, 'recover')).body, { classed: 'closed', action: 'none' });
  t.is((await handle.describe()).runId, runId);
  t.is(await world.status(id), 'failed');
});

test('a process whose workflow is gone goes on with a command, or when it is recovered', async (t) => {
  const [one, other] = [await world.place(), await world.parkStep()];
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
  for (const [name, json] of Object.entries({
    recover: undefined,
    cancel: {},
    abandon: { reason },
    'skip-compensation': { step: 'x', reason },
  })) {
    t.is((await command(id, name, json)).body['code'], 'process_not_found', name);
  }
  const elsewhere = await world.place();
  t.is(
    (await api.ask('POST', `/processes/${elsewhere}/cancel`, { ...operator, tenant: 'elsewhere' })).body['code'],
    'process_not_found',
  );
});
