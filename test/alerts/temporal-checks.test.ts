import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import test from 'ava';
import { createNoWorkerCheck } from '../../src/alerts/checks/no-worker.ts';
import { scheduleToStart } from '../../src/alerts/checks/schedule-to-start.ts';
import { temporalUnreachable } from '../../src/alerts/checks/temporal-unreachable.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import { createDatabase, openTestSystem, temporalAddress, type TestDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { absentTemporal, loopOf, openAlerts } from './fixtures.ts';

let database: TestDatabase;
let system: SystemDb;
let connection: Connection;
let client: Client;

test.before(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  database = await createDatabase();
  system = openTestSystem(database.url);
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection });
});
test.after.always(async () => {
  await connection?.close();
  await system?.close();
  await database?.drop();
});

test.serial(
  'a Temporal that does not answer raises one alert, which clears when it does; what it alone can tell stays as it is',
  async (t) => {
    const away = loopOf(
      { system, client: await absentTemporal(), checks: [temporalUnreachable, createNoWorkerCheck(), scheduleToStart] },
      { ALERT_NO_WORKER_MS: '1' },
    );
    await away.runOnce();
    t.deepEqual(await openAlerts(system, 'temporal_unreachable'), ['default temporal_unreachable:default']);
    t.deepEqual(await openAlerts(system, 'no_worker'), []);
    await away.stop();
    const back = loopOf({ system, client, checks: [temporalUnreachable] });
    t.teardown(() => back.stop());
    await back.runOnce();
    t.deepEqual(await openAlerts(system, 'temporal_unreachable'), []);
  },
);

test.serial('tasks without a worker raise no_worker and schedule_to_start, and a worker clears both', async (t) => {
  const taskQueue = `alerts-${randomUUID()}`;
  const loop = loopOf(
    { system, client, checks: [createNoWorkerCheck(), scheduleToStart] },
    {
      TASK_QUEUE: taskQueue,
      ALERT_NO_WORKER_MS: '100',
      ALERT_SCHEDULE_TO_START_MS: '100',
    },
  );
  t.teardown(() => loop.stop());
  const handle = await client.workflow.start('greeting', { taskQueue, workflowId: taskQueue });
  const open = async () => {
    await loop.runOnce();
    return [await openAlerts(system, 'no_worker'), await openAlerts(system, 'schedule_to_start')].flat();
  };
  await until(async () => (await open()).length === 3);
  t.deepEqual(await open(), [
    `default no_worker:${taskQueue}:activity`,
    `default no_worker:${taskQueue}:workflow`,
    `default schedule_to_start:${taskQueue}:workflow`,
  ]);

  const native = await NativeConnection.connect({ address: temporalAddress() });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
    activities: { idle: async () => {} },
  });
  await worker.runUntil(async () => {
    t.is(await handle.result(), 'hello');
    await until(async () => (await open()).length === 0, { what: 'clearing the alerts' });
  });
  await native.close();
  t.pass();
});
