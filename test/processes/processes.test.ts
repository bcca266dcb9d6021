import test from 'ava';
import { z } from 'zod';
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
const reason = 'Paid back by hand';

test('parked processes are found, and commanded together', async (t) => {
  const [first, second, third] = await Promise.all([world.parkUndo(), world.parkUndo(), world.parkStep()]);
  const parked = [first, second, third];
  await Promise.all([
    world.untilProcess(first.id, 'compensation_failed'),
    world.untilProcess(second.id, 'compensation_failed'),
    world.untilProcess(third.id, 'step_failed'),
  ]);
  const listed = z.object({ items: z.array(z.object({ id: z.string(), status: z.string() })) });
  const ids = async (query: string) =>
    listed.parse((await api.ask('GET', `/processes?limit=100&${query}`, operator)).body).items.map(({ id }) => id);
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
    t.regex(href, /^\/operations\//);
    await until(async () => (await api.ask('GET', href, operator)).body['state'] === 'completed', { what: name });
    return (await api.ask('GET', href, operator)).body;
  };
  t.like(await bulk('retry-compensation', { filter: { processIds, status: 'compensation_failed' }, reason }), {
    matched: 2,
    signalled: 2,
  });
  await Promise.all([first, second].map(({ id }) => world.untilProcess(id, 'compensated')));
  t.like(
    await bulk('abandon', { filter: { processIds }, reason }),
    { matched: 1, signalled: 1 },
    'what is over is left out',
  );
  const { body } = await world.untilProcess(third.id, 'abandoned');
  t.like(processSchema.parse(body).events.at(-1), {
    type: 'ProcessAbandoned',
    detail: { decided: { command: 'abandon', by: 'op', reason } },
  });
  t.like(await bulk('recover', { filter: { processIds } }), { matched: 0, signalled: 0 });
});

test('a bulk command names what it is about and why', async (t) => {
  for (const [name, json] of Object.entries({
    abandon: { filter: { status: 'step_failed' } },
    cancel: { filter: {} },
    'skip-step': { filter: { type: 'order' }, reason: '' },
    'skip-compensation': { filter: { type: 'order' }, reason },
    recover: { filter: { type: 'order' }, reason },
  })) {
    t.is(
      (await api.ask('POST', `/processes/bulk/${name}`, { ...operator, json })).body['code'],
      'validation_failed',
      name,
    );
  }
});

test('processes come in pages, newest first, each once', async (t) => {
  const placed = [await world.place(), await world.place(), await world.place()];
  const page = z.object({
    items: z.array(z.object({ id: z.string(), startedAt: z.string() })),
    nextCursor: z.string().nullable(),
  });
  const seen: z.output<typeof page>['items'] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const read: z.output<typeof page> = page.parse(
      (await api.ask('GET', `/processes?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, operator)).body,
    );
    seen.push(...read.items);
    cursor = read.nextCursor;
  }
  t.is(new Set(seen.map(({ id }) => id)).size, seen.length);
  t.deepEqual(
    placed.filter((id) => !seen.some((each) => each.id === id)),
    [],
  );
  t.deepEqual(
    seen.map(({ startedAt }) => startedAt),
    seen
      .map(({ startedAt }) => startedAt)
      .toSorted()
      .toReversed(),
  );
});
