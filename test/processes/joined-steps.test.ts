import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import test from 'ava';
import type { StepAnswer } from '../../src/workflows/process/process.activities.ts';
import { stepActivities } from '../../src/activities/process/step.ts';
import type { LocalStep } from '../../src/activities/process/step-functions.ts';
import type { Db } from '../../src/postgres/client.ts';
import { insertProcessesSql, processesParameter } from '../../src/db/processes/process-rows.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { beginProcess } from '../../src/domain/process/decide.ts';
import { DEFAULT_ATTEMPTS, type ProcessDefinition } from '../../src/domain/process/definition.ts';
import type { StepResult } from '../../src/domain/process/step-work.ts';
import { createDatabase, openTestDb, type TestDatabase } from '../support/services.ts';
import { createEffects, TENANT } from '../support/saga-world.ts';

const CHAIN: ProcessDefinition = {
  type: 'chain',
  summary: 'Three steps in one transaction',
  sharesTransaction: true,
  steps: {
    first: { execute: 'first', compensate: 'undoFirst' },
    // Its pause outlasts the test that looks whether it is over.
    second: { execute: 'second', compensate: 'undoSecond', attempts: { ...DEFAULT_ATTEMPTS, firstDelayMs: 60_000 } },
    third: { execute: 'third' },
  },
};

let database: TestDatabase;
let db: Db;

test.before(async () => {
  database = await createDatabase();
  await createEffects(database.url);
  db = openTestDb(database.url, 5);
});
test.after.always(async () => {
  await db?.close();
  await database?.drop();
});

/** A chain whose steps leave their effects and then come to what `endings` says. */
async function chain(endings: Readonly<Record<string, () => StepResult>> = {}) {
  const processId = randomUUID();
  const { state, events } = beginProcess(CHAIN, { data: {}, now: Date.now() });
  const row = { processId, type: 'chain', workflowId: `chain:${processId}`, state, events };
  await rawTransaction(db.pool, TENANT, (tx) =>
    tx.query(`WITH ${insertProcessesSql(2)} SELECT`, [TENANT, processesParameter([row])]),
  );
  const step =
    (name: string): LocalStep =>
    async (client) => {
      await client.query('INSERT INTO effects (process_id, activity) VALUES ($1, $2)', [processId, name]);
      return [endings[name]?.() ?? { isDone: true, result: { [name]: 'done' } }];
    };
  const names = ['first', 'second', 'third', 'undoFirst', 'undoSecond'];
  const activities = stepActivities(
    { db, processType: () => CHAIN },
    Object.fromEntries(names.map((name) => [name, { local: step(name) }])),
  );
  const environment = new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'chain', runId: randomUUID() } },
    { logger: new DefaultLogger('ERROR', () => {}) },
  );
  return {
    call: (name: string, from = state, revision = 1): Promise<StepAnswer> =>
      environment.run(() =>
        activities[name]!({
          tenantId: TENANT,
          processId,
          type: 'chain',
          step: name,
          state: from,
          revision,
          now: Date.now(),
        }),
      ),
    row: () =>
      db.inTenant(TENANT, (tx) =>
        tx.processState.findUniqueOrThrow({ where: { tenantId_processId: { tenantId: TENANT, processId } } }),
      ),
    effects: () =>
      rawTransaction(db.pool, TENANT, async (tx) =>
        (
          await tx.query<{ activity: string }>('SELECT activity FROM effects WHERE process_id = $1 ORDER BY position', [
            processId,
          ])
        ).rows.map(({ activity }) => activity),
      ),
  };
}
const outcomes = (answer: StepAnswer): string[] =>
  answer.isSuperseded ? [] : answer.settled.map(({ outcome }) => `${outcome.step} ${outcome.type}`);
const fail = (error: Error) => (): never => {
  throw error;
};

test('steps that follow each other are taken in one transaction, and answered together', async (t) => {
  const { call, row, effects } = await chain();
  t.deepEqual(outcomes(await call('first')), ['first completed', 'second completed', 'third completed']);
  t.like(await row(), { status: 'completed', revision: 1, data: { first: 'done', second: 'done', third: 'done' } });
  t.deepEqual(await effects(), ['first', 'second', 'third']);
});

test('an answer that got lost is answered again with all its outcomes, and nothing is done twice', async (t) => {
  const { call, effects } = await chain();
  const first = await call('first');
  t.deepEqual(await call('first'), first);
  t.deepEqual(await effects(), ['first', 'second', 'third']);
});

test('a step that fails after another takes back nothing but itself, is counted, and leaves its pause', async (t) => {
  const { call, row, effects } = await chain({ second: fail(new Error('jammed')) });
  const answer = await call('first');
  t.deepEqual(outcomes(answer), ['first completed']);
  t.deepEqual(await effects(), ['first']);
  const { attempts, lastError, retryAt, currentStep, history, status } = await row();
  t.like(
    { attempts, lastError, currentStep, status },
    { attempts: 1, lastError: { message: 'jammed' }, currentStep: 'second', status: 'running' },
  );
  t.true(retryAt !== null && Array.isArray(history) && history.length === 2);
});

test('a first call of a step waits for the pause that an attempt has left', async (t) => {
  const { call, row } = await chain({ second: fail(new Error('jammed')) });
  await call('first');
  const { sequence, data } = await row();
  const { state } = beginProcess(CHAIN, { data: {}, now: Date.now() });
  const second = {
    ...state,
    sequence,
    currentStep: 'second',
    data: { ...Object(data) },
    history: [
      { ...state.history[0]!, status: 'completed' as const },
      { ...state.history[0]!, step: 'second' },
    ],
  };
  await t.throwsAsync(call('second', second, 2), { message: 'The pause after a failed attempt is not over.' });
  t.like(await row(), { attempts: 1 });
});

test('a refusal after other steps turns the process back, with those to be undone', async (t) => {
  const { call, row } = await chain({
    third: () => ({ isDone: false, code: 'sold_out', message: 'There is nothing left.' }),
  });
  t.deepEqual(outcomes(await call('first')), ['first completed', 'second completed', 'third failed']);
  t.like(await row(), { status: 'compensating', currentStep: 'second', cause: { code: 'sold_out' } });
});

test("PostgreSQL going away in a step that follows takes back all of them, and is nobody's attempt", async (t) => {
  const { call, row, effects } = await chain({
    third: fail(Object.assign(new Error('terminating connection'), { code: '57P01' })),
  });
  await t.throwsAsync(call('first'), { message: 'terminating connection' });
  t.deepEqual(await effects(), []);
  t.like(await row(), { attempts: 0, currentStep: 'first', revision: 0 });
});
