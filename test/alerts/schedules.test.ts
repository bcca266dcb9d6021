import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import test from 'ava';
import { createScheduleCheck } from '../../src/alerts/checks/schedule-amiss.ts';
import { loadConfig } from '../../src/config/config.ts';
import { ensureSchedules, scheduleState } from '../../src/temporal/schedules.ts';
import { AUDIT_NAMES } from '../../src/workflows/audits/audits.messages.ts';
import { fileScope } from '../support/file-scope.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { temporalAt } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { alertsOf, loopOf, openAlerts } from './fixtures.ts';

const KIND = 'schedule_amiss';
const config = loadConfig({});
const scope = fileScope();

/** A client of a namespace of its own, since schedules have fixed ids. */
async function ownNamespace(): Promise<Client> {
  const { client } = temporalAt(scope);
  const namespace = `schedules-${randomUUID()}`;
  await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  const own = new Client({ connection: client.connection, namespace });
  await until(
    () =>
      own.workflow.count().then(
        () => true,
        () => false,
      ),
    { what: 'the namespace' },
  );
  return own;
}

test('a schedule that is gone comes back, and one that is paused or changed is told until it is as set', async (t) => {
  const database = await createDatabase();
  const system = openTestSystem(database.url);
  const client = await ownNamespace();
  const loop = loopOf({ system, client, checks: [createScheduleCheck(0)] });
  t.teardown(async () => {
    await loop.stop();
    await system.close();
    await database.drop();
  });
  const states = () => Promise.all(AUDIT_NAMES.map((name) => scheduleState(client, config, name)));
  const asSet = AUDIT_NAMES.map(() => 'as_set');
  const open = async () => {
    await loop.runOnce();
    return openAlerts(system, KIND);
  };

  t.deepEqual(await open(), [], 'before any worker has started');
  await until(async () => (await states()).join() === asSet.join(), { what: 'all schedules' });

  await client.schedule.getHandle('cleanup').delete();
  await until(async () => (await open()).length === 1, { what: 'the alert' });
  t.like((await alertsOf(system, KIND)).at(-1), { details: { schedule: 'cleanup', state: 'missing' } });
  await until(async () => (await open()).length === 0, { what: 'its end' });
  t.deepEqual(await states(), asSet);

  await client.schedule.getHandle('sync-audit').pause('somebody');
  await until(async () => (await open()).join() === `default ${KIND}:sync-audit`, { what: 'the pause' });
  await client.schedule.getHandle('sync-audit').unpause();
  await until(async () => (await open()).length === 0, { what: 'the end of the pause' });

  const handle = client.schedule.getHandle('profile-audit');
  await handle.update((existing) => ({ ...existing, spec: { cronExpressions: ['0 0 1 1 *'] } }));
  await until(async () => (await open()).join() === `default ${KIND}:profile-audit`, { what: 'the change' });
  await ensureSchedules(client, config);
  await until(async () => (await open()).length === 0, { what: 'the end of the change' });
});
