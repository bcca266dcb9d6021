import { randomUUID } from 'node:crypto';
import test from 'ava';
import { z } from 'zod';
import { routingSlipSchema, slipActivitySchema } from '../../src/api/routing-slips/routing-slip.schemas.ts';
import { problemSchema } from '../../src/api/http/problem.ts';
import { startApi, type Answer, type Ask, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

// Nothing listens where this API looks for Temporal.
const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const operator = { role: 'operator', sub: 'ops' } as const;
const service = { role: 'service', sub: 'crm', as: { service: 'crm' } } as const;
const welcome = { activity: 'send_welcome', arguments: { email: 'ada@example.com' } };
const plan = {
  activity: 'plan_onboarding',
  arguments: { companyId: { $variable: 'company' }, country: 'CH', plan: 'starter' },
};

const send = (json: object, ask: Ask = service): Promise<Answer> =>
  api.ask('POST', '/processes/routing-slips', { ...ask, json });
const read = (id: string, ask: Ask = service): Promise<Answer> => api.ask('GET', `/processes/routing-slips/${id}`, ask);
const faultsOf = ({ body }: Answer) => (problemSchema.parse(body).errors ?? []).map(({ field }) => field);

test('each activity tells what it takes and gives, who may use it and what its undo does', async (t) => {
  const { status, body } = await api.ask('GET', '/processes/routing-slips/activities', service);
  t.is(status, 200);
  const { items } = z.object({ items: z.array(slipActivitySchema) }).parse(body);
  const credit = items.find(({ activity }) => activity === 'open_credit_account');
  t.deepEqual(credit?.roles, ['operator', 'admin']);
  t.truthy(credit?.undo);
  t.like(credit?.arguments, { type: 'object', required: ['customerId', 'currency', 'limitMinor'] });
  t.like(
    items.find(({ activity }) => activity === 'send_welcome'),
    { isPivot: true, isRemote: true, undo: null },
  );
});

test('a slip is accepted though Temporal is away, its start is promised, and it is a process like any', async (t) => {
  const { status, headers, body } = await send({ itinerary: [plan, welcome], variables: { company: 'acme' } });
  t.is(status, 201);
  const { id, itinerary, variables } = routingSlipSchema.parse(body);
  t.is(headers.get('Location'), `/processes/routing-slips/${id}`);
  t.deepEqual(
    itinerary.map(({ leg, status: is }) => `${leg} ${is}`),
    ['1:plan_onboarding pending', '2:send_welcome pending'],
  );
  t.deepEqual(itinerary[0]?.arguments, plan.arguments);
  t.deepEqual(variables, { company: 'acme' });
  const promised = await api.db.inTenant('default', (tx) =>
    tx.pendingStart.findFirstOrThrow({ where: { workflowId: `routing_slip:${id}` } }),
  );
  t.like(promised, { workflowType: 'routingSlipProcess', kind: 'start' });
  t.false(JSON.stringify(promised.input).includes('acme'), 'what it was asked for does not leave its rows');
  const { body: page } = await api.ask('GET', '/processes?type=routing_slip&step=1:plan_onboarding', operator);
  t.true(JSON.stringify(page).includes(id));
  t.like((await api.ask('GET', `/processes/${id}`, operator)).body, { type: 'routing_slip', status: 'running' });
});

test('a request that is repeated with its key sends one slip', async (t) => {
  const ask = { ...service, headers: { 'Idempotency-Key': randomUUID() } };
  const [first, second] = [await send({ itinerary: [welcome] }, ask), await send({ itinerary: [welcome] }, ask)];
  t.is(second.body['id'], first.body['id']);
});

test('what can not be is refused with its place', async (t) => {
  const faulty = await send({
    itinerary: [
      welcome,
      { activity: 'fly', arguments: {} },
      { activity: 'send_welcome', arguments: { email: 'nobody', colour: 'red' } },
      { activity: 'check_tax_number', arguments: { country: { $variable: 'land' }, taxNumber: '1' } },
    ],
  });
  t.is(faulty.status, 422);
  t.is(faulty.body['code'], 'itinerary_invalid');
  t.deepEqual(faultsOf(faulty), [
    'body.itinerary[1].activity',
    'body.itinerary[2].arguments.email',
    'body.itinerary[2].arguments.colour',
    // An activity that nobody knows might have given it, but nobody will.
  ]);
  const unknown = await send({ itinerary: [{ ...welcome, arguments: { email: { $variable: 'to' } } }] });
  t.deepEqual(faultsOf(unknown), ['body.itinerary[0].arguments.email']);
  const many = await send({ itinerary: Array.from({ length: 51 }, () => welcome) });
  t.deepEqual([many.status, ...faultsOf(many)], [400, 'body.itinerary']);
  const named = await send({ itinerary: [welcome, { ...welcome, arguments: [] }] });
  t.deepEqual([named.status, ...faultsOf(named)], [400, 'body.itinerary[1].arguments']);
});

test('what is nested too deep is refused', async (t) => {
  let deep: unknown = 1;
  for (let level = 0; level < 11; level += 1) deep = [deep];
  const both = await send({
    itinerary: [welcome, { ...welcome, arguments: { email: deep } }],
    variables: { a: deep },
  });
  t.deepEqual([both.status, ...faultsOf(both)], [422, 'body.variables.a', 'body.itinerary[1].arguments']);
});

test('an activity that is not for the caller is forbidden, with its place', async (t) => {
  const credit = { customerId: 'acme', currency: 'EUR', limitMinor: 1 };
  const json = { itinerary: [welcome, { activity: 'open_credit_account', arguments: credit }] };
  const { status, body } = await send(json);
  t.is(status, 403);
  t.like(body, { code: 'activity_not_allowed' });
  t.regex(String(body['detail']), /^itinerary\[1\]\.activity: "open_credit_account"/);
  t.is((await send(json, operator)).status, 201);
});

test('a service reads the slips that it has sent, and no others', async (t) => {
  const { body } = await send({ itinerary: [welcome] });
  const id = String(body['id']);
  t.is((await read(id)).status, 200);
  t.is((await read(id, operator)).status, 200);
  const other = await read(id, { role: 'service', sub: 'shop', as: { service: 'shop' } });
  t.like(other.body, { status: 404, code: 'routing_slip_not_found' });
  t.is((await read(id, { ...operator, tenant: 'elsewhere' })).status, 404);
  t.is((await read(randomUUID(), operator)).status, 404);
});
