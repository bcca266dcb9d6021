import { Client, Connection, ServiceError } from '@temporalio/client';
import test from 'ava';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/config.ts';
import { listDeadLetters } from '../../src/messaging/dead-letters/dead-letters.ts';
import { enqueueCalls } from '../../src/messaging/outbox/workflow-outbox.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';

const TENANT = 'acme';

/** A client whose every start fails by the gRPC code that `code` gives. */
function refusingClient(code: () => number): Client {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  return new Client({
    connection,
    interceptors: {
      workflow: [
        {
          startWithDetails: () => {
            const cause = Object.assign(new Error(`refused by ${code()}`), { code: code(), details: '', metadata: {} });
            throw new ServiceError('refused', { cause });
          },
        },
      ],
    },
  });
}

test('the relay carries out the calls of each workflow in order, whatever becomes of others', async (t) => {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 5);
  const seen: string[] = [];
  let isAway = true;
  const client = new Client({
    connection: Connection.lazy({ address: '127.0.0.1:1' }),
    interceptors: {
      workflow: [
        {
          signalWithStart: async ({ signalName, options: { workflowId } }) => {
            if (isAway && workflowId === 'w0')
              throw new ServiceError('away', {
                cause: Object.assign(new Error('away'), { code: 14, details: '', metadata: {} }),
              });
            seen.push(`${workflowId} ${signalName}`);
            return workflowId;
          },
        },
      ],
    },
  });
  const relay = createWorkflowRelay({
    system,
    client,
    config: loadConfig({ BUS_POLL_MS: '20' }),
    logger: pino({ level: 'silent' }),
  });
  t.teardown(async () => {
    await relay.stop();
    await client.connection.close();
    await system.close();
    await database.drop();
  });
  const calls = Array.from({ length: 60 }, (_, index) => ({
    workflowId: `w${index % 30}`,
    name: String(Math.floor(index / 30)),
  }));
  await system.acrossTenants((tx) =>
    enqueueCalls(
      tx,
      calls.map(({ workflowId, name }) => ({
        tenantId: TENANT,
        kind: 'signal_with_start' as const,
        workflowType: 'w',
        workflowId,
        input: {},
        signal: { name },
      })),
    ),
  );
  const pending = () =>
    system.acrossTenants((tx) =>
      tx.pendingStart.findMany({ orderBy: { position: 'asc' }, select: { workflowId: true, signalName: true } }),
    );
  relay.start();
  await until(async () => (await pending()).length === 2, { what: 'the calls of the others' });
  t.deepEqual(await pending(), [
    { workflowId: 'w0', signalName: '0' },
    { workflowId: 'w0', signalName: '1' },
  ]);
  isAway = false;
  await until(async () => (await pending()).length === 0, { what: 'all calls' });
  const ofEach = Map.groupBy(seen, (call) => call.split(' ')[0]);
  t.deepEqual(
    [...ofEach.values()],
    [...ofEach.keys()].map((workflowId) => [`${workflowId} 0`, `${workflowId} 1`]),
  );
  t.is(ofEach.size, 30);
});

test('the relay keeps what Temporal refuses, says so once a kind, and parks calls that are wrong', async (t) => {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 5);
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  let code = 14;
  let attempts = 0;
  const client = refusingClient(() => {
    attempts += 1;
    return code;
  });
  const relay = createWorkflowRelay({ system, client, config: loadConfig({ BUS_POLL_MS: '20' }), logger });
  t.teardown(async () => {
    await relay.stop();
    await client.connection.close();
    await system.close();
    await database.drop();
  });
  const pending = () => system.acrossTenants((tx) => tx.pendingStart.count());
  const dueNow = () => system.acrossTenants((tx) => tx.$executeRaw`UPDATE pending_starts SET next_attempt_at = now()`);
  await system.acrossTenants((tx) =>
    enqueueCalls(
      tx,
      ['a', 'b', 'c'].map((workflowId) => ({
        tenantId: TENANT,
        kind: 'start' as const,
        workflowType: 'w',
        workflowId,
        input: {},
      })),
    ),
  );
  relay.start();
  for (code of [14, 14, 7, 12]) {
    const before = attempts;
    await until(
      async () => {
        await dueNow();
        return attempts >= before + 12;
      },
      { what: 'more attempts' },
    );
    t.is(await pending(), 3);
  }
  const told = (level: number) => lines.filter((line) => line.includes(`"level":${level},`)).length;
  t.deepEqual([told(40), told(50)], [1, 1]);

  code = 3;
  await until(
    async () => {
      await dueNow();
      return (await pending()) === 0;
    },
    { what: 'parking' },
  );
  const { items } = await system.acrossTenants((tx) => listDeadLetters(tx, { limit: 10 }));
  t.deepEqual(items.map(({ key, cause }) => `${key} ${cause}`).toSorted(), [
    'a call_refused',
    'b call_refused',
    'c call_refused',
  ]);
});
