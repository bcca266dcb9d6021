import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { z } from 'zod';
import { reopenProcess } from '../../src/db/processes/reopen-process.ts';
import { insertProcessesSql, processesParameter, writeProcesses } from '../../src/db/processes/process-rows.ts';
import { orderProcess } from '../../src/domain/orders/order-process.ts';
import { applyAll, applyOutcome, beginProcess, decideProcess } from '../../src/domain/process/decide.ts';
import type { ProcessEvent } from '../../src/domain/process/events.ts';
import type { ProcessState } from '../../src/domain/process/state.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { startOptions } from '../../src/temporal/start-options.ts';
import { processStateQuery, processWorkflowId } from '../../src/workflows/process/process.messages.ts';
import { createApiClient } from '../support/api-client.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';
import type { World } from '../support/world.ts';
import { createCrashWorld, TENANT } from './crash-world.ts';
import { read, untilEach } from './end-state.ts';
import { walk } from './walk.ts';

const TIMEOUT_MS = 900_000;
const RETRY_MS = 100;
const BY = { by: 'ann', reason: 'because' } as const;
const DONE = ['validate_order', 'reserve_inventory', 'process_payment'];

test('a worker killed at any statement of an abandonment leaves one dead letter with it', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t);
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: /ProcessAbandoned/,
    begin: async (processIds) => {
      for (const processId of processIds) {
        await plant(world, processId, 'parked');
        await world.client.workflow.signalWithStart('orderProcess', {
          ...startOptions(world.config, {
            tenantId: TENANT,
            workflowType: 'orderProcess',
            workflowId: idOf(processId),
          }),
          args: [{ tenantId: TENANT, processId }],
          signal: 'abandon',
          signalArgs: [BY],
        });
      }
    },
    isDone: (processId) => hasEnded(world, processId),
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  assertPoints(t, points, ['before WITH given', 'before INSERT INTO dead_letters', 'before COMMIT', 'after COMMIT']);

  await spawnWorker(world);
  await untilEach(targets, (processId) => hasEnded(world, processId), 'the end of the workflow');
  for (const processId of targets) {
    t.deepEqual(await lettersOf(world, processId), [{ status: 'parked', replays: 0 }], processId);
    t.is(await countOf(world, processId, 'ProcessAbandoned'), 1);
  }
});

test('an API killed at any statement of a replay reopens the process once, with its dead letter', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t, { settings: { ALERT_CHECK_INTERVAL_MS: '600000' } });
  const ask = await createApiClient(world);
  /** Asks until it is answered for good, as a client does whose server goes away in the middle. */
  const replay = async (letterId: string): Promise<string> => {
    for (;;) {
      const answer = await ask('POST', `/dead-letters/${letterId}/replay`, { reason: 'again' }).catch(() => undefined);
      const { outcome, code } = answerSchema.parse((await answer?.json().catch(() => undefined)) ?? {});
      if (outcome !== undefined || code === 'dead_letter_not_parked') return outcome ?? code ?? '';
      await sleep(RETRY_MS);
    }
  };
  const answers: Promise<string>[] = [];
  const isReopened = async (processId: string): Promise<boolean> =>
    (await lettersOf(world, processId))[0]?.status === 'replayed' &&
    (await read(world.system, (tx) => tx.pendingStart.count({ where: { workflowId: idOf(processId) } }))) === 0;
  const { targets, points, kills } = await walk({
    world,
    start: spawnApi,
    from: /./,
    begin: async (processIds) => {
      for (const processId of processIds) {
        await plant(world, processId, 'abandoned');
        answers.push(replay(processId));
      }
    },
    isDone: isReopened,
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  assertPoints(t, points, [
    'before SELECT process_id',
    'before UPDATE dead_letters SET',
    'before WITH given',
    'before WITH promised',
    'before COMMIT',
    'after COMMIT',
  ]);

  await spawnApi(world);
  await untilEach(targets, isReopened, 'the call of the outbox');
  t.deepEqual([...new Set(await Promise.all(answers))].toSorted(), ['dead_letter_not_parked', 'replayed']);
  await spawnWorker(world);
  await untilEach(targets, (processId) => isCarried(world, processId), 'the run that carries it');
  for (const processId of targets) {
    t.deepEqual(await lettersOf(world, processId), [{ status: 'replayed', replays: 1 }], processId);
    t.is(await countOf(world, processId, 'ProcessReopened'), 1);
  }
});

test('a worker killed at any statement of a reopened process carries it, and alerts, in the end', async (t) => {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t);
  const { targets, points, kills } = await walk({
    world,
    start: spawnWorker,
    from: /process_states/,
    begin: async (processIds) => {
      for (const processId of processIds) {
        await plant(world, processId, 'abandoned');
        await reopenProcess(world.db.pool, { tenantId: TENANT, processId, letterId: processId, ...BY });
      }
    },
    isDone: (processId) => isCarried(world, processId),
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  assertPoints(t, points, ['before UPDATE process_states', 'before COMMIT', 'after COMMIT']);

  await spawnWorker(world);
  await untilEach(targets, (processId) => isCarried(world, processId), 'the run that carries it');
  for (const processId of targets) {
    t.is(await countOf(world, processId, 'ProcessReopened'), 1);
    await world.client.workflow.getHandle(idOf(processId)).signal('abandon', BY);
  }
  await untilEach(targets, (processId) => hasEnded(world, processId), 'the end of the workflow');
  for (const processId of targets)
    t.deepEqual(await lettersOf(world, processId), [{ status: 'parked', replays: 1 }], 'it is parked again');
});

const answerSchema = z.looseObject({ outcome: z.string().optional(), code: z.string().optional() });
const idOf = (processId: string): string => processWorkflowId({ type: 'order', processId });

/** The row of a process whose pivot has an unknown outcome; abandoned, with a dead letter of the same id. */
async function plant({ db, system }: World, processId: string, status: 'parked' | 'abandoned'): Promise<void> {
  const now = Date.now();
  const { state: begun, events } = beginProcess(orderProcess, { data: { deliveryLimitMs: 1 }, now });
  let state: ProcessState = begun;
  const all: ProcessEvent[] = [...events];
  const take = (more: readonly ProcessEvent[]): void => {
    all.push(...more);
    state = applyAll(state, more);
  };
  for (const step of DONE)
    take(applyOutcome(orderProcess, state, { type: 'completed', step, attempts: 1, result: {} }, now));
  const cause = { code: 'warehouse_timed_out', message: 'No answer.', class: 'unknown' } as const;
  take(applyOutcome(orderProcess, state, { type: 'failed', step: 'create_shipment', attempts: 4, cause }, now));
  await rawTransaction(db.pool, TENANT, (client) =>
    client.query(`WITH ${insertProcessesSql(2)} SELECT`, [
      TENANT,
      processesParameter([{ processId, type: 'order', workflowId: idOf(processId), state, events: all }]),
    ]),
  );
  if (status === 'parked') return;
  const decision = decideProcess(orderProcess, state, { type: 'abandon', ...BY }, now);
  if (!decision.accepted) throw new Error(decision.refusal.detail);
  const write = {
    processId,
    type: 'order',
    state: applyAll(state, decision.events),
    revision: 1,
    writer: '',
    events: decision.events,
  };
  await rawTransaction(db.pool, TENANT, (client) => writeProcesses(client, { tenantId: TENANT, writes: [write] }));
  // Statements about the letter are about the process, too.
  await read(system, (tx) =>
    tx.deadLetter.updateMany({ where: { source: 'process', messageId: processId }, data: { id: processId } }),
  );
}

function lettersOf({ system }: World, processId: string): Promise<{ status: string; replays: number }[]> {
  return read(system, (tx) =>
    tx.deadLetter.findMany({
      where: { source: 'process', messageId: processId },
      select: { status: true, replays: true },
    }),
  );
}

function countOf({ system }: World, processId: string, type: ProcessEvent['type']): Promise<number> {
  return read(system, (tx) => tx.processEvent.count({ where: { processId, type } }));
}

async function hasEnded({ client }: World, processId: string): Promise<boolean> {
  const ended = await client.workflow
    .getHandle(idOf(processId))
    .describe()
    .catch(() => undefined);
  return ended?.status.name === 'FAILED';
}

/** Whether an execution knows that the process is parked, and somebody was told. */
async function isCarried({ client, system }: World, processId: string): Promise<boolean> {
  const alerts = await read(system, (tx) => tx.alert.count({ where: { openKey: `process_parked:${processId}` } }));
  if (alerts === 0) return false;
  const view = await client.workflow
    .getHandle(idOf(processId))
    .query(processStateQuery)
    .catch(() => null);
  return view?.status === 'step_failed';
}

function assertPoints(
  t: { true(is: boolean, message: string): void },
  points: readonly string[],
  some: string[],
): void {
  for (const point of some)
    t.true(
      points.some((held) => held.startsWith(point)),
      `${point}: ${points.join('\n')}`,
    );
}
