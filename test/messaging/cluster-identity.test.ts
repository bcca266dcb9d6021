import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { SystemDb } from '../../src/postgres/client.ts';
import {
  acceptCluster,
  assertLogsAreOwn,
  isRestoredElsewhere,
  timelineChange,
} from '../../src/messaging/log/cluster-identity.ts';
import { acquirePartitions, renewPartitions } from '../../src/messaging/log/log-leases.ts';
import { resetCursors } from '../../src/maintenance/retention/reset-cursors.ts';
import { startNode } from '../support/processes.ts';
import { createDatabase, freePort, openTestSystem, temporalAddress, testLogins } from '../support/services.ts';

const run = promisify(execFile);
const FOREIGN = "INSERT INTO log_clusters (system_identifier, timeline) VALUES ('another', 1)";

async function setUp(t: ExecutionContext): Promise<{ system: SystemDb; url: string }> {
  const database = await createDatabase();
  const system = openTestSystem(database.url, 3);
  t.teardown(async () => {
    await system.close();
    await database.drop();
  });
  return { system, url: database.url };
}

async function addUser(
  system: SystemDb,
  numbers: { version?: number; profileRevision?: number; syncRevision?: number },
): Promise<string> {
  const id = randomUUID();
  await system.acrossTenants((tx) =>
    tx.user.create({ data: { tenantId: 'acme', id, authSubject: id, email: `${id}@example.com`, ...numbers } }),
  );
  return id;
}

const numbersOf = (system: SystemDb, id: string) =>
  system.acrossTenants((tx) =>
    tx.user.findFirst({
      where: { id },
      select: { version: true, profileRevision: true, syncRevision: true },
    }),
  );

for (const [what, statements] of [
  ['a dump brought the row of its cluster', "UPDATE log_clusters SET system_identifier = 'another'"],
  ["rows were copied beside the cluster's own", FOREIGN],
  ['nobody knows whose they are', 'DELETE FROM log_clusters'],
] as const) {
  test(`the logs stay another cluster's, however many transactions pass, when ${what}`, async (t) => {
    const { system } = await setUp(t);
    t.false(await isRestoredElsewhere(system));
    await system.pool.query(statements);
    for (let count = 0; count < 5; count += 1) await system.pool.query('SELECT pg_current_xact_id()');
    t.true(await isRestoredElsewhere(system));
    await t.throwsAsync(assertLogsAreOwn(system), {
      name: 'ConfigError',
      message: /^SYSTEM_DATABASE_URL: .*npm run restart-readers/,
    });
    await resetCursors(system);
    await t.notThrowsAsync(assertLogsAreOwn(system));
  });
}

test("no reader takes or keeps a partition while the logs are another cluster's", async (t) => {
  const { system } = await setUp(t);
  const own = { reader: 'r', member: 'm', leaseMs: 600_000 };
  t.is((await acquirePartitions(system.pool, { ...own, partitions: [0] })).length, 1);
  await system.pool.query(FOREIGN);
  t.deepEqual(await renewPartitions(system.pool, { ...own, partitions: [0] }), []);
  t.deepEqual(await acquirePartitions(system.pool, { ...own, partitions: [0, 1] }), []);
  await resetCursors(system);
  t.is((await acquirePartitions(system.pool, { ...own, partitions: [0, 1] })).length, 2);
});

test('server.ts and worker.ts end with one line when the database was restored from another cluster', async (t) => {
  const { system, url } = await setUp(t);
  await system.pool.query(FOREIGN);
  for (const entry of ['server.ts', 'worker.ts'] as const) {
    const started = startNode(t, {
      args: [entry],
      env: {
        ...testLogins(url),
        TEMPORAL_ADDRESS: temporalAddress(),
        PORT: String(await freePort()),
        WORKER_PORT: String(await freePort()),
        DATA_DIR: join(tmpdir(), 'steadfast-test-bundles'),
        LOG_LEVEL: 'silent',
      },
    });
    t.is(await started.exited, 1, entry);
    t.regex(started.output(), /^SYSTEM_DATABASE_URL: .*npm run restart-readers.*\n$/, entry);
  }
});

test('a change of the timeline shows until it is accepted, which is refused while cursors are ahead', async (t) => {
  const { system } = await setUp(t);
  t.is(await timelineChange(system), undefined);
  await system.pool.query('UPDATE log_clusters SET timeline = timeline - 1');
  t.deepEqual(await timelineChange(system), { from: 0, to: 1 });
  t.false(await isRestoredElsewhere(system));
  t.true(await acceptCluster(system));
  t.is(await timelineChange(system), undefined);

  await system.pool.query(
    "UPDATE log_clusters SET timeline = 0; INSERT INTO log_cursors (reader, partition, xid) VALUES ('r', 0, " +
      "'999999999999')",
  );
  t.false(await acceptCluster(system));
  t.deepEqual(await timelineChange(system), { from: 0, to: 1 });
});

test('resetCursors raises the version of every user, each time, and leaves the revisions', async (t) => {
  const { system } = await setUp(t);
  const id = await addUser(system, { version: 3, profileRevision: 2 });
  t.deepEqual(await resetCursors(system), { users: 1, raisedBy: 1_000_000 });
  t.deepEqual(await numbersOf(system, id), { version: 1_000_003, profileRevision: 2, syncRevision: 0 });
  await resetCursors(system);
  t.deepEqual(await numbersOf(system, id), { version: 2_000_003, profileRevision: 2, syncRevision: 0 });
});

test('resetCursors leaves room for changes when the numbers come near the largest', async (t) => {
  const { system } = await setUp(t);
  const id = await addUser(system, { version: 2_147_483_000 });
  t.deepEqual(await resetCursors(system), { users: 1, raisedBy: 323 });
  t.like(await numbersOf(system, id), { version: 2_147_483_323 });
});

test('npm run restart-readers says what it did, and with --accept leaves readers and users as they are', async (t) => {
  const { system, url } = await setUp(t);
  const id = await addUser(system, { version: 1 });
  const tool = (...args: string[]) =>
    run(process.execPath, [fileURLToPath(new URL('../../tools/restart-readers.ts', import.meta.url)), ...args], {
      env: { ...process.env, ...testLogins(url) },
    });
  await system.pool.query(FOREIGN);
  t.regex((await tool('--accept')).stdout, /Nothing else was changed/);
  t.false(await isRestoredElsewhere(system));
  t.like(await numbersOf(system, id), { version: 1 });
  t.regex((await tool()).stdout, /though the logs were this cluster's.*\nThe version of 1 users was raised by 1000000/);
});
