import test from 'ava';
import { MAX_LEGS_IN_ALL } from '../../src/domain/routing-slips/limits.ts';
import { processUpdate, type CommandPayload } from '../../src/workflows/process/process.messages.ts';
import type { ProcessCommandName } from '../../src/domain/process/command-names.ts';
import { fileScope } from '../support/file-scope.ts';
import { BY } from '../support/saga-world.ts';
import { createSlipWorld, leg, type Slip, type SlipWorld } from '../support/slip-world.ts';
import { until } from '../support/until.ts';

// A slip from its first leg to its end, by a workflow, on real PostgreSQL.

const scope = fileScope();
let world: SlipWorld;
test.before(async () => {
  world = await createSlipWorld(scope);
});

const note = (text: unknown) => leg('note', { text });
const variable = (name: string) => ({ $variable: name });
const untilIt = (slip: Slip, status: string) =>
  until(async () => (await slip.row()).status === status, { what: `a slip that is ${status}` });
const command = ({ workflowId }: Slip, name: ProcessCommandName, payload: CommandPayload = BY) =>
  world.client.workflow.getHandle(workflowId).executeUpdate(processUpdate(name), { args: [payload] });

test('legs are taken in order, with the variables of their time, and each gives its own', async (t) => {
  const slip = await world.send(
    [note('a'), note(variable('noted')), note(variable('city')), leg('call', { text: variable('noted') })],
    {
      city: 'Oslo',
    },
  );
  await untilIt(slip, 'completed');
  t.deepEqual(await slip.effects(), ['1:note a', '2:note a', '3:note Oslo', '4:call Oslo 0']);
  t.deepEqual(await slip.variables(), { city: 'Oslo', noted: 'Oslo' });
  const described = await world.client.workflow.getHandle(slip.workflowId).describe();
  t.is(described.type, 'routingSlipProcess');
});

test('a refused leg turns the slip back: undone in reverse, with what each leg has kept', async (t) => {
  const slip = await world.send([
    note('a'),
    note('b'),
    leg('call', { text: variable('noted') }),
    note('c'),
    leg('refuse'),
  ]);
  await untilIt(slip, 'compensated');
  t.deepEqual((await slip.effects()).slice(4), [
    'undo 4:note c {"noted":"c"}',
    'undo 3:call b {"said":"b"}',
    'undo 2:note b {"noted":"b"}',
    'undo 1:note a {"noted":"a"}',
  ]);
  t.like(await slip.row(), { cause: { code: 'sold_out' } });
});

test('a call whose answer got lost is tried again, and undone though nothing was kept of it', async (t) => {
  const slip = await world.send([leg('call', { text: 'x' })], {}, ['lose', 'fail', 'lose', 'lose']);
  await untilIt(slip, 'compensated');
  t.deepEqual(await slip.effects(), ['1:call x 0', '1:call x 2', '1:call x 3', 'undo 1:call x undefined']);
});

test('a failed undo parks the slip after all others were tried, and an operator decides', async (t) => {
  const slip = await world.send([note('a'), note('for ever'), note('b'), leg('refuse')]);
  await untilIt(slip, 'compensation_failed');
  t.deepEqual(await slip.legs(), {
    '1:note': 'compensated',
    '2:note': 'compensation_failed',
    '3:note': 'compensated',
    '4:refuse': 'failed',
  });
  await command(slip, 'skipCompensation', { ...BY, step: '2:note' });
  await untilIt(slip, 'abandoned');
  const [letter] = await world.db.inTenant('test', (tx) =>
    tx.deadLetter.findMany({ where: { messageId: slip.processId } }),
  );
  t.like(letter, {
    source: 'process',
    type: 'routing_slip',
    cause: 'kept',
    detail: 'Abandoned at 2:note by ann: because',
  });
});

test('a leg inserts, replaces and drops what follows it, and what is done stays', async (t) => {
  const slip = await world.send([
    note('a'),
    leg('revise', { keep: [2, 0], notes: ['new', 'newer'] }),
    note('b'),
    note('dropped'),
    note('c'),
  ]);
  await untilIt(slip, 'completed');
  t.deepEqual(await slip.effects(), ['1:note a', '6:note new', '7:note newer', '5:note c', '3:note b']);
});

test('a leg that keeps what does not follow it is a bug, which is told and undone', async (t) => {
  const slip = await world.send([note('a'), leg('revise', { keep: [7], notes: [] })]);
  await untilIt(slip, 'compensated');
  t.like(await slip.row(), {
    cause: { code: 'step_error', message: '2:revise keeps nobody, which does not follow it' },
  });
});

test('a slip that extends itself for ever is refused, and undone', async (t) => {
  const slip = await world.send([leg('extend')]);
  await untilIt(slip, 'compensated');
  t.like(await slip.row(), { cause: { code: 'too_many_legs', class: 'refused' } });
  const effects = await slip.effects();
  const done = MAX_LEGS_IN_ALL - 1;
  t.is(effects.length, 2 * done, 'the leg that would have been one too many has left nothing');
  t.deepEqual(
    [effects[done - 1], effects[done], effects.at(-1)],
    [`${done}:extend`, `undo ${done}:extend`, 'undo 1:extend'],
  );
});

test('a variable that nobody gave, or that does not fit, is refused with its place', async (t) => {
  const missing = await world.send([leg('revise', { keep: [], notes: [] }), note('a')]);
  await untilIt(missing, 'completed');
  const lacking = await world.send([note('a'), note(variable('nobody'))]);
  await untilIt(lacking, 'compensated');
  t.like(await lacking.row(), {
    cause: { code: 'variable_missing', message: 'arguments.text is the variable "nobody", which is not there.' },
  });
  const unfit = await world.send([note('a'), note(variable('count'))], { count: 7 });
  await untilIt(unfit, 'compensated');
  t.like(await unfit.row(), { cause: { code: 'arguments_invalid' } });
});

test('variables that grow too large are a refusal, and what gave them leaves nothing', async (t) => {
  const slip = await world.send([note('a'), note(variable('long'))], { long: 'x'.repeat(40_000) });
  await untilIt(slip, 'compensated');
  t.like(await slip.row(), { cause: { code: 'variables_too_large' } });
  t.deepEqual(await slip.effects(), ['1:note a', 'undo 1:note a {"noted":"a"}']);
});

test('a variable called __proto__ is data', async (t) => {
  const slip = await world.send([note(variable('__proto__'))], JSON.parse('{"__proto__":"a"}'));
  await untilIt(slip, 'completed');
  t.is(JSON.stringify(await slip.variables()), '{"noted":"a","__proto__":"a"}');
});

test('behind a pivot a slip parks, and goes on when an operator says so', async (t) => {
  const slip = await world.send([note('a'), leg('seal'), note(variable('nobody'))]);
  await untilIt(slip, 'step_failed');
  await t.throwsAsync(command(slip, 'cancel'));
  await command(slip, 'abandon');
  await untilIt(slip, 'abandoned');
  t.deepEqual(await slip.effects(), ['1:note a']);
});

test.serial(
  'an activity that was taken out of the code parks its slips, until it is back, or somebody decides',
  async (t) => {
    const { functions } = world;
    const { note: known } = functions;
    if (known === undefined) throw new Error('there is no such activity');
    delete functions['note'];
    t.teardown(() => void (functions['note'] = known));
    const [retried, skipped, cancelled] = await Promise.all(
      [1, 2, 3].map(() => world.send([leg('call', { text: 'x' }), note('a'), leg('seal')])),
    );
    if (retried === undefined || skipped === undefined || cancelled === undefined) throw new Error('a slip is missing');
    for (const slip of [retried, skipped, cancelled]) {
      await untilIt(slip, 'step_failed');
      t.like(await slip.row(), { currentStep: '2:note', cause: null });
    }
    await command(cancelled, 'cancel');
    await untilIt(cancelled, 'cancelled');
    t.deepEqual(await cancelled.effects(), ['1:call x 0', 'undo 1:call x {"said":"x"}']);
    await command(skipped, 'skipStep');
    await untilIt(skipped, 'completed');
    t.deepEqual(await skipped.effects(), ['1:call x 0']);
    functions['note'] = known;
    await command(retried, 'retryStep');
    await untilIt(retried, 'completed');
    t.deepEqual(await retried.effects(), ['1:call x 0', '2:note a']);
  },
);

test.serial('an undo whose activity was taken out of the code parks, and is retried when it is back', async (t) => {
  const { functions } = world;
  const { note: known } = functions;
  if (known === undefined) throw new Error('there is no such activity');
  t.teardown(() => void (functions['note'] = known));
  const slip = await world.send([note('a'), note('for ever'), leg('refuse')]);
  await untilIt(slip, 'compensation_failed');
  delete functions['note'];
  await command(slip, 'retryCompensation');
  await until(async () => JSON.stringify((await slip.row()).history).includes('activity_missing'), {
    what: 'the cause',
  });
  await untilIt(slip, 'compensation_failed');
  functions['note'] = known;
  await command(slip, 'retryCompensation');
  await until(async () => (await slip.effects()).length === 5, { what: 'the undo, once more' });
  t.is((await slip.effects()).at(-1), 'undo 2:note for ever {"noted":"for ever"}');
});

test.serial('a leg that was done by hand gives what it would have, and can only be undone by hand', async (t) => {
  const { functions } = world;
  const { note: known } = functions;
  if (known === undefined) throw new Error('there is no such activity');
  t.teardown(() => void (functions['note'] = known));
  delete functions['note'];
  const slip = await world.send([note('a'), leg('call', { text: variable('noted') }), leg('refuse')]);
  await untilIt(slip, 'step_failed');
  functions['note'] = known; // it is back, and the operator has done it meanwhile
  await command(slip, 'skipStep');
  await untilIt(slip, 'compensation_failed');
  t.deepEqual(await slip.effects(), ['2:call by hand 0', 'undo 2:call by hand {"said":"by hand"}']);
  t.like(await slip.legs(), { '1:note': 'compensation_failed' });
  await command(slip, 'skipCompensation', { ...BY, step: '1:note' });
  await untilIt(slip, 'abandoned');
});
