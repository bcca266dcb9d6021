import { randomUUID } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { z } from 'zod';
import { defaultPorts } from '../../src/gateways/default-ports.ts';
import { reopenProcess } from '../../src/db/processes/reopen-process.ts';
import type { ProcessCommandName } from '../../src/domain/process/command-names.ts';
import { SLIP_EVENTS, SLIP_TOPIC, type SlipMessageType } from '../../src/events/slip-messages.ts';
import { lockStreams } from '../../src/messaging/log/lock-streams.ts';
import { enqueueMessages } from '../../src/messaging/outbox/message-outbox.ts';
import { processUpdate, type CommandPayload } from '../../src/workflows/process/process.messages.ts';
import { fileScope } from '../support/file-scope.ts';
import { runServices } from '../support/order-services.ts';
import { BY, TENANT } from '../support/saga-world.ts';
import type { Scope } from '../support/scope.ts';
import { createSlipWorld, leg, sendSlip, type Slip, type SlipWorld } from '../support/slip-world.ts';
import { until, untilIs } from '../support/until.ts';

// What a listener on the bus hears of slips, which a worker carries on real PostgreSQL.

const envelope = z.object({
  id: z.string(),
  type: z.string(),
  data: z.looseObject({ leg: z.string().optional() }),
});
type Heard = z.output<typeof envelope>;

const scope = fileScope();
let world: SlipWorld;
/** What came by the bus, in its order, and the text that it came as. */
const heard: { readonly key: string; readonly event: Heard; readonly payload: string }[] = [];

test.before(async () => {
  world = await createSlipWorld(scope);
  // Nothing but the relay, and somebody who listens.
  const bus = await runServices(world, defaultPorts(world.config), { only: () => false });
  await bus.subscribe({
    group: 'listener',
    topics: [SLIP_TOPIC],
    handle: async ({ key, payload }) => void heard.push({ key, payload, event: envelope.parse(JSON.parse(payload)) }),
  });
});

const note = (text: unknown) => leg('note', { text });
const of = (processId: string) => heard.filter(({ key }) => key === processId);
const said = (processId: string) => of(processId).map(({ event: { type, data } }) => [type, data.leg].join(' ').trim());
/** Waits until this was heard, and nothing else, in this order. */
const untilHeard = (processId: string, wanted: readonly string[]) =>
  untilIs(async () => said(processId), [...wanted], { what: `hearing ${wanted.join(', ')}` });
const dataOf = (slip: Slip, type: SlipMessageType) =>
  of(slip.processId).flatMap(({ event }) => (event.type === type ? [event.data] : []));
const untilIt = (slip: Slip, status: string) =>
  until(async () => (await slip.row()).status === status, { what: `a slip that is ${status}` });
const command = ({ workflowId }: Slip, name: ProcessCommandName, payload: CommandPayload = BY) =>
  world.client.workflow.getHandle(workflowId).executeUpdate(processUpdate(name), { args: [payload] });
/** Waits until an execution carries the slip, or until none does. */
const untilCarried = ({ workflowId }: Slip, isCarried: boolean) =>
  until(
    async () =>
      ((await world.client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING') === isCarried,
    { what: `an execution that is ${isCarried ? 'open' : 'closed'}` },
  );
/** Takes an activity out of the code of the worker. */
function without(t: Pick<Scope, 'teardown'>, activity: string): void {
  const known = world.functions[activity];
  if (known === undefined) throw new Error('there is no such activity');
  delete world.functions[activity];
  t.teardown(() => void (world.functions[activity] = known));
}

test('each leg is told when it is done, a revision after the leg that made it, then the end', async (t) => {
  const slip = await world.send([note('a'), leg('revise', { keep: [1], notes: ['new'] }), note('dropped'), note('b')]);
  await untilHeard(slip.processId, [
    'RoutingSlipActivityCompleted 1:note',
    'RoutingSlipActivityCompleted 2:revise',
    'RoutingSlipRevised 2:revise',
    'RoutingSlipActivityCompleted 5:note',
    'RoutingSlipActivityCompleted 4:note',
    'RoutingSlipCompleted',
  ]);
  t.like(dataOf(slip, 'RoutingSlipRevised'), [{ itinerary: ['1:note', '2:revise', '5:note', '4:note'] }]);
});

test('a refusal is told, each undo that follows from it, last first, and that everything is undone', async (t) => {
  const slip = await world.send([note('Ada'), leg('call', { text: 'Ada' }), leg('refuse')], { name: 'Ada' }, ['lose']);
  await untilHeard(slip.processId, [
    'RoutingSlipActivityCompleted 1:note',
    'RoutingSlipActivityCompleted 2:call',
    'RoutingSlipActivityFaulted 3:refuse',
    'RoutingSlipActivityCompensated 2:call',
    'RoutingSlipActivityCompensated 1:note',
    'RoutingSlipFaulted',
  ]);
  const fault = { code: 'sold_out', class: 'refused' };
  t.deepEqual(dataOf(slip, 'RoutingSlipActivityFaulted'), [
    { slipId: slip.processId, leg: '3:refuse', activity: 'refuse', attempts: 1, fault },
  ]);
  t.deepEqual(dataOf(slip, 'RoutingSlipFaulted'), [{ slipId: slip.processId, fault }]);
  t.is(dataOf(slip, 'RoutingSlipActivityCompleted').at(1)?.['attempts'], 2, 'of a leg alone its outcome is told');
});

test('a slip that is abandoned, reopened and abandoned again says each end, as a message of its own', async (t) => {
  const slip = await world.send([note('for ever'), leg('refuse')]);
  const { processId } = slip;
  const first = [
    'RoutingSlipActivityCompleted 1:note',
    'RoutingSlipActivityFaulted 2:refuse',
    'RoutingSlipActivityCompensationFailed 1:note',
  ];
  await untilIt(slip, 'compensation_failed');
  await command(slip, 'abandon');
  await untilHeard(processId, [...first, 'RoutingSlipTerminated']);
  await untilCarried(slip, false);
  const [letter] = await world.db.inTenant(TENANT, (tx) => tx.deadLetter.findMany({ where: { messageId: processId } }));
  const reopening = { tenantId: TENANT, processId, letterId: letter?.id ?? '', ...BY };
  t.is(await reopenProcess(world.db.pool, reopening), 'settled');
  await untilCarried(slip, true);
  await command(slip, 'skipCompensation', { ...BY, step: '1:note' });
  await untilHeard(processId, [...first, 'RoutingSlipTerminated', 'RoutingSlipTerminated']);
  const fault = { code: 'sold_out', class: 'refused' };
  const end = { slipId: processId, status: 'abandoned', fault };
  t.deepEqual(dataOf(slip, 'RoutingSlipTerminated'), [end, end]);
});

test.serial('a leg that was done by hand is told as done', async (t) => {
  without(t, 'note');
  const slip = await world.send([leg('call', { text: 'x' }), note('x')]);
  const before = ['RoutingSlipActivityCompleted 1:call', 'RoutingSlipActivityFaulted 2:note'];
  await untilHeard(slip.processId, before);
  await untilIt(slip, 'step_failed');
  await command(slip, 'skipStep');
  await untilHeard(slip.processId, [...before, 'RoutingSlipActivityCompleted 2:note', 'RoutingSlipCompleted']);
  t.pass();
});

test.serial('a leg that is retried may fault again; then somebody cancels the slip', async (t) => {
  without(t, 'seal');
  const slip = await world.send([note('x'), leg('seal')]);
  const before = ['RoutingSlipActivityCompleted 1:note', 'RoutingSlipActivityFaulted 2:seal'];
  await untilHeard(slip.processId, before);
  await untilIt(slip, 'step_failed');
  await command(slip, 'retryStep');
  const again = [...before, 'RoutingSlipActivityFaulted 2:seal'];
  await untilHeard(slip.processId, again);
  await untilIt(slip, 'step_failed');
  await command(slip, 'cancel');
  await untilHeard(slip.processId, [...again, 'RoutingSlipActivityCompensated 1:note', 'RoutingSlipTerminated']);
  t.deepEqual(dataOf(slip, 'RoutingSlipTerminated'), [
    { slipId: slip.processId, status: 'cancelled', fault: { code: 'cancelled', class: 'refused' } },
  ]);
});

test.serial('what is said of a slip follows what was being said of it before, whoever writes it', async (t) => {
  without(t, 'note');
  const processId = randomUUID();
  const sending = await whileSaying(processId, 'first', () => sendSlip(world, processId, [note('x')]));
  const faulted = ['first', 'RoutingSlipActivityFaulted 1:note'];
  await untilHeard(processId, faulted);
  await untilIt(sending, 'step_failed');
  const cancelled = await whileSaying(processId, 'second', async () => ({ outcome: command(sending, 'cancel') }));
  await cancelled.outcome;
  await untilHeard(processId, [...faulted, 'second', 'RoutingSlipTerminated']);
  t.pass();
});

test.after('each message was heard once, fits its schema, and holds nothing that was asked for or typed', (t) => {
  t.true(heard.length > 20);
  t.is(new Set(heard.map(({ event }) => event.id)).size, heard.length);
  for (const { event, payload } of heard) {
    const schema = Object.entries(SLIP_EVENTS).find(([type]) => type === event.type)?.[1];
    if (schema !== undefined) t.notThrows(() => schema.parse(JSON.parse(payload)), payload);
    t.notRegex(payload, /Ada|for ever|dropped|because|ann"|\$variable/);
  }
});

/**
 * Does something while another transaction says something of a slip; that one commits once a writer of ours waits for
 * it, who must not have written by then.
 */
async function whileSaying<Result>(processId: string, type: string, work: () => Promise<Result>): Promise<Result> {
  const other = new pg.Client({ connectionString: world.databaseUrl });
  await other.connect();
  try {
    await other.query('BEGIN');
    await lockStreams(other, [processId]);
    const result = await work();
    await until(async () => (await waiters(other)) === 1, { what: 'a writer that waits' });
    const payload = JSON.stringify({ id: `${processId}:${type}`, type, data: {} });
    const messageId = `${processId}:${type}`;
    await enqueueMessages(other, [{ tenantId: TENANT, messageId, topic: SLIP_TOPIC, key: processId, payload }]);
    await other.query('COMMIT');
    return result;
  } finally {
    await other.end();
  }
}

async function waiters(client: pg.Client): Promise<number | null> {
  const { rowCount } = await client.query(`SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database() AND a.backend_xid IS NULL`);
  return rowCount;
}
