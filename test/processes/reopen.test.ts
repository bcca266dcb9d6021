import { readFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { reopenProcess } from '../../src/db/processes/reopen-process.ts';
import { recoverProcess } from '../../src/maintenance/watchdog/recover-process.ts';
import { createReplayer } from '../../src/messaging/dead-letters/replay.ts';
import { discardDeadLetters, type DeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { fileScope } from '../support/file-scope.ts';
import { BY, createSagaWorld, TENANT, type Saga, type SagaWorld } from '../support/saga-world.ts';
import { until, untilIs } from '../support/until.ts';
import { holdAlerts, lastRun, reopeningHeard } from './hold-alerts.ts';
import { SAGA_FACTS, sagaType } from './saga-definitions.ts';

// An abandoned process is a dead letter, whose replay parks it again where it was abandoned.

const MIGRATION = new URL(
  '../../prisma/migrations/20261201124500_dead_letters_of_processes/migration.sql',
  import.meta.url,
);
const LOST = ['lose', 'lose', 'lose', 'lose'] as const;
const JAMMED = ['fail', 'fail', 'fail', 'fail'] as const;
const scope = fileScope();
let world: SagaWorld;
test.before(async () => {
  world = await createSagaWorld(scope, { settings: { BUS_POLL_MS: '20' } });
  const relay = createWorkflowRelay(world);
  relay.start();
  scope.teardown(() => relay.stop());
});

const untilStatus = (saga: Saga, status: string) =>
  until(async () => (await saga.row()).status === status, { what: status });

async function letterOf({ processId }: Saga): Promise<DeadLetter> {
  return world.db.inTenant(TENANT, (tx) =>
    tx.deadLetter.findFirstOrThrow({ where: { source: 'process', messageId: processId } }),
  );
}

function replay({ id }: DeadLetter, reason = 'the carrier answers again') {
  const reopen = createReplayer({
    db: world.db,
    handlers: {},
    settling: {
      process: (tenantId, { id: letterId, messageId: processId }, decider) =>
        reopenProcess(world.db.pool, { tenantId, processId, letterId, ...decider }, sagaType),
    },
  });
  return reopen.replay(TENANT, id, 'boss', reason);
}

async function atStep(more: Parameters<SagaWorld['begin']>[1] = {}): Promise<Saga> {
  const saga = await world.begin('trip', { ship: LOST, ...more });
  await untilStatus(saga, 'step_failed');
  return saga;
}

/** Waits for a run that knows that the process is parked. */
const untilCarried = (saga: Saga, status: string) =>
  untilIs(async () => (await saga.view().catch(() => null))?.status, status, { what: `a run that is ${status}` });

async function abandoned(saga: Saga): Promise<Saga> {
  await saga.handle.executeUpdate('abandon', { args: [BY] });
  await until(async () => (await saga.handle.describe()).status.name === 'FAILED', { what: 'the end of the run' });
  return saga;
}

const payloadOf = ({ payload }: DeadLetter): unknown => JSON.parse(payload);

test('an abandoned process is a dead letter that says where it stood, why, and who left it there', async (t) => {
  const saga = await abandoned(await atStep());
  const letter = await letterOf(saga);
  t.like(letter, {
    status: 'parked',
    type: 'trip',
    cause: 'lost',
    key: saga.processId,
    detail: 'Abandoned at ship by ann: because',
  });
  t.like(payloadOf(letter), {
    processId: saga.processId,
    status: 'step_failed',
    step: 'ship',
    cause: { code: 'lost', class: 'unknown' },
    turnedBack: null,
    decided: { command: 'abandon', by: 'ann', reason: 'because' },
  });
});

test('a replay parks it again, alerts, and a retry goes on from there without doing anything twice', async (t) => {
  const saga = await abandoned(await atStep());
  t.like(await saga.alert('process_parked'), { status: 'resolved' });
  t.like(await replay(await letterOf(saga)), {
    outcome: 'replayed',
    deadLetter: { status: 'replayed', resolvedBy: 'boss', reason: 'the carrier answers again', replays: 1 },
  });
  t.like(await saga.row(), { status: 'step_failed', currentStep: 'ship' });
  await untilIs(async () => (await saga.alert('process_parked'))?.status, 'open');
  const { detail } = await world.db.inTenant(TENANT, (tx) =>
    tx.processEvent.findFirstOrThrow({ where: { processId: saga.processId, type: 'ProcessReopened' } }),
  );
  t.like(detail, { decided: { command: 'reopen', by: 'boss', reason: 'the carrier answers again' } });
  await untilCarried(saga, 'step_failed');
  t.like(await saga.handle.executeUpdate('retryStep', { args: [BY] }), { status: 'running' });
  await untilStatus(saga, 'waiting');
  await untilIs(async () => (await saga.alert('process_parked'))?.status, 'resolved');
  await saga.handle.signal('arrived', {});
  await untilIs(() => lastRun(saga), 'COMPLETED', { what: 'the run that was started to end with it' });
  t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x1']);
});

test('a process that was closed by a skip is reopened at that undo; abandoned again, it is parked again', async (t) => {
  const saga = await world.begin('trip', { ship: ['refuse'], undoPay: [...JAMMED, ...JAMMED] });
  const skip = async (): Promise<void> => {
    await untilCarried(saga, 'compensation_failed');
    await saga.handle.executeUpdate('skipCompensation', { args: [{ step: 'pay', ...BY }] });
    await untilStatus(saga, 'abandoned');
  };
  await skip();
  const first = await letterOf(saga);
  t.like(payloadOf(first), {
    step: 'pay',
    cause: { code: 'jammed' },
    turnedBack: { code: 'sold_out' },
    decided: { command: 'skipCompensation', by: 'ann' },
  });
  t.is((await replay(first)).outcome, 'replayed');
  t.deepEqual(await saga.steps(), { reserve: 'compensated', pay: 'compensation_failed', ship: 'failed' });
  await skip();
  t.like(await letterOf(saga), { id: first.id, status: 'parked', resolvedBy: null, replays: 1 });
  t.is((await replay(first)).outcome, 'replayed');
  await untilCarried(saga, 'compensation_failed');
  await saga.handle.executeUpdate('retryCompensation', { args: [BY] });
  await until(async () => (await saga.events()).filter((event) => event === 'CompensationParked').length === 2, {
    what: 'the undo to fail again',
  });
  await saga.handle.executeUpdate('retryCompensation', { args: [BY] });
  await untilStatus(saga, 'compensated');
  t.deepEqual(await saga.effects(), ['reserve', 'undoReserve', 'pay x1', 'undoPay x1']);
});

test('of replays and a discard at once exactly one takes effect', async (t) => {
  const ends = new Set<string>();
  for (let round = 0; round < 6; round += 1) {
    const saga = await abandoned(await atStep());
    const letter = await letterOf(saga);
    const discard = world.db.inTenant(TENANT, (tx) =>
      discardDeadLetters(tx, { tenantId: TENANT, ids: [letter.id] }, { by: 'eve', reason: 'obsolete' }),
    );
    const [one, other, discards] = await Promise.all([replay(letter), replay(letter), discard]);
    const replays = [one, other].filter(({ outcome }) => outcome === 'replayed').length;
    t.is(replays + discards, 1);
    const reopenings = (await saga.events()).filter((event) => event === 'ProcessReopened ship').length;
    t.is(reopenings, replays);
    t.is((await saga.row()).status, replays === 1 ? 'step_failed' : 'abandoned');
    t.is((await letterOf(saga)).status, replays === 1 ? 'replayed' : 'discarded');
    t.is((await replay(letter)).outcome, 'not_parked');
    ends.add(replays === 1 ? 'replayed' : 'discarded');
  }
  t.log([...ends].join());
});

for (const when of ['signalled', 'heard'] as const) {
  // Alone: who holds the alerts holds up every process that parks.
  test.serial(`an execution that closes goes on with the reopened process once it is ${when}`, async (t) => {
    const saga = await atStep();
    const { runId } = await saga.handle.describe();
    const release = await holdAlerts(t, world);
    const told = saga.handle.executeUpdate('abandon', { args: [BY] });
    await untilStatus(saga, 'abandoned');
    t.is((await replay(await letterOf(saga))).outcome, 'replayed');
    await until(async () => [when, 'heard'].includes(await reopeningHeard(saga)), { what: `it to be ${when}` });
    t.is((await saga.handle.describe()).runId, runId);
    await release();
    await told;
    await untilCarried(saga, 'step_failed');
    await untilIs(async () => (await saga.alert('process_parked'))?.status, 'open');
    await saga.handle.executeUpdate('retryStep', { args: [BY] });
    await untilStatus(saga, 'waiting');
    t.deepEqual(await saga.effects(), ['reserve', 'ship', 'pay x1']);
  });
}

test('what ended otherwise, or was never abandoned, is not reopened', async (t) => {
  const saga = await abandoned(await atStep());
  const letter = await letterOf(saga);
  const parked = await atStep();
  t.like(
    await reopenProcess(
      world.db.pool,
      { tenantId: TENANT, processId: parked.processId, letterId: letter.id, by: 'boss', reason: null },
      sagaType,
    ),
    { code: 'process_not_abandoned' },
  );
  t.like(await letterOf(saga), { status: 'parked' });
});

test('a process that a worker of before has abandoned gets its dead letter when it is recovered', async (t) => {
  const saga = await abandoned(await atStep());
  const { processId } = saga;
  const written = await letterOf(saga);
  const recover = () => recoverProcess({ ...world, facts: SAGA_FACTS }, { tenantId: TENANT, processId });
  await world.db.inTenant(TENANT, (tx) => tx.deadLetter.deleteMany({ where: { messageId: processId } }));
  t.like(await recover(), { classed: 'closed', action: 'none' });
  const letter = await letterOf(saga);
  t.like(letter, { status: 'parked', cause: written.cause, detail: written.detail });
  t.deepEqual(payloadOf(letter), payloadOf(written));
  await world.db.inTenant(TENANT, (tx) =>
    discardDeadLetters(tx, { tenantId: TENANT, ids: [letter.id] }, { by: 'eve', reason: 'obsolete' }),
  );
  await recover();
  t.like(await letterOf(saga), { id: letter.id, status: 'discarded' });
});

test('processes that were abandoned before there were letters get the same ones by the migration', async (t) => {
  const stopped = await abandoned(await atStep());
  const skipped = await world.begin('trip', { ship: ['refuse'], undoPay: JAMMED });
  await untilStatus(skipped, 'compensation_failed');
  await untilCarried(skipped, 'compensation_failed');
  await skipped.handle.executeUpdate('skipCompensation', { args: [{ step: 'pay', ...BY }] });
  const [one, other] = [await letterOf(stopped), await letterOf(skipped)];
  await world.db.inTenant(TENANT, (tx) => tx.deadLetter.deleteMany({ where: { id: { in: [one.id, other.id] } } }));
  await migrate(t);
  for (const [saga, written] of [
    [stopped, one],
    [skipped, other],
  ] as const) {
    const { source, type, cause, detail, messageId, key, status } = written;
    const letter = await letterOf(saga);
    t.like(letter, { source, type, cause, detail, messageId, key, status });
    t.deepEqual(payloadOf(letter), payloadOf(written));
  }
  t.is((await replay(await letterOf(skipped))).outcome, 'replayed');
  t.like(await skipped.row(), { status: 'compensation_failed', currentStep: 'pay' });
});

async function migrate(t: ExecutionContext): Promise<void> {
  const superuser = new pg.Client({ connectionString: world.databaseUrl });
  await superuser.connect();
  t.teardown(() => superuser.end());
  await superuser.query(await readFile(MIGRATION, 'utf8'));
}
