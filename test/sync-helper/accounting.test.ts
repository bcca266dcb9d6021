import { randomUUID } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { z } from 'zod';
import { kafkaBus } from '../../packages/sync-helper/kafka-bus.ts';
import { TOPICS, userEvent } from '../../src/events/user-events.ts';
import { fileScope } from '../support/file-scope.ts';
import { kafkaAddress } from '../support/kafka.ts';
import { startNode, type TestProcess } from '../support/processes.ts';
import { createDatabase, freePort } from '../support/services.ts';
import { until, untilIs } from '../support/until.ts';
import { temporaryFolder } from '../support/world.ts';
import { install, packHelper, typeCheck } from './packed.ts';
import { startSystem, type ShownUser, type System } from './system.ts';

const account = z.object({ version: z.number(), name: z.string().nullable(), timesWritten: z.number() });
const example = fileURLToPath(new URL('../../examples/accounting-service', import.meta.url));
const FILES = ['package.json', 'main.ts', 'accounts.ts', 'behaviour.ts', 'control.ts', 'settings.ts'];

const scope = fileScope();
let [folder, ownUrl, port, url] = ['', '', '', ''];
let system: System;
let service: TestProcess;
test.before(async () => {
  folder = await temporaryFolder(scope);
  for (const name of FILES) await cp(join(example, name), join(folder, name));
  await packHelper(scope, folder);
  await install(folder);
  const own = await createDatabase();
  scope.teardown(() => own.drop());
  ownUrl = own.url;
  system = await startSystem(scope, {
    service: 'accounting',
    settings: {
      SYNC_RETRY_DELAYS: '200,200,200,500',
      MAX_SYNC_RETRY_ATTEMPTS: '4',
      SYNC_CONFIRMATION_TIMEOUT_MS: '20000',
    },
  });
  port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  service = await start();
});

function start(): Promise<TestProcess> {
  return serve(url, {
    PORT: port,
    DATABASE_URL: ownUrl,
    BUS: 'postgres',
    BUS_DATABASE_URL: system.busUrl,
    BUS_LEASE_MS: '1500',
  });
}

/** Starts the example where it is installed. */
async function serve(at: string, env: Readonly<Record<string, string>>): Promise<TestProcess> {
  const child = startNode(scope, { args: ['main.ts'], cwd: folder, env });
  await child.answers(`${at}/healthz`);
  return child;
}

async function behave(behaviour: object): Promise<void> {
  const { status } = await fetch(`${url}/behaviour`, { method: 'PUT', body: JSON.stringify(behaviour) });
  if (status !== 200) throw new Error(`the service refused ${JSON.stringify(behaviour)}`);
}

async function held(id: string): Promise<z.output<typeof account> | undefined> {
  const response = await fetch(`${url}/accounts/${id}`);
  return response.status === 200 ? account.parse(await response.json()) : undefined;
}

async function untilSynced(id: string): Promise<ShownUser> {
  await untilIs(async () => (await system.show(id)).syncStatus, 'synced', { what: `${id} is synced` });
  return await system.show(id);
}

async function answersAbout(id: string): Promise<string[]> {
  const { rows } = await system.owner.query<{ answer: string }>(
    `
    SELECT topic || ' ' || (payload::jsonb->'data'->>'userVersion') AS answer FROM bus_messages
    WHERE key = $1 AND topic LIKE 'sync.user.%' ORDER BY position`,
    [id],
  );
  return rows.map(({ answer }) => answer);
}

/** How many different answers about a user Steadfast has taken note of. */
async function received(id: string): Promise<number> {
  const { rowCount } = await system.owner.query(
    `
    SELECT FROM inbox_messages WHERE message_id IN (SELECT '/services/accounting ' || message_id FROM bus_messages
      WHERE key = $1)`,
    [id],
  );
  return rowCount ?? 0;
}

test.serial('the example is written against the types that the package has', async (t) => {
  const { compilerOptions } = z
    .object({ compilerOptions: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(await readFile(join(example, '../../tsconfig.json'), 'utf8')));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  await t.notThrowsAsync(typeCheck(folder));
});

test.serial('a registered user reaches the service and is synced', async (t) => {
  const { id } = await system.register();
  t.like(await untilSynced(id), { version: 1, syncRetryCount: 0, syncMetadata: { syncedServices: ['accounting'] } });
  t.deepEqual(await held(id), { version: 1, name: 'Ada', timesWritten: 1 });
  await system.change(id, 'Ada Lovelace');
  await until(async () => (await held(id))?.version === 2);
  t.is((await untilSynced(id)).version, 2);
});

test.serial('a service that fails twice and then confirms is synced after two retries', async (t) => {
  await behave({ fail: 2 });
  const { id } = await system.register();
  await untilSynced(id);
  t.deepEqual(await answersAbout(id), ['sync.user.failed 1', 'sync.user.failed 1', 'sync.user.confirmed 1']);
  t.deepEqual(await held(id), { version: 1, name: 'Ada', timesWritten: 1 });
});

test.serial('a service that answers twice is counted once', async (t) => {
  await behave({ answer: 'twice' });
  const { id } = await system.register();
  await untilSynced(id);
  await behave({ answer: 'once' });
  t.deepEqual(await answersAbout(id), ['sync.user.confirmed 1', 'sync.user.confirmed 1']);
  await until(async () => (await received(id)) === 1);
  t.is((await system.owner.query('SELECT FROM dead_letters')).rowCount, 0);
});

test.serial('a confirmation of an older version does not count', async (t) => {
  const { id } = await system.register();
  await untilSynced(id);
  await behave({ answer: 'old' });
  await system.change(id, 'Ada Lovelace');
  await until(async () => (await answersAbout(id)).length === 2);
  await behave({ answer: 'once' });
  await until(
    async () => (await received(id)) === 2 && (await system.owner.query('SELECT FROM pending_starts')).rowCount === 0,
  );
  t.deepEqual(await answersAbout(id), ['sync.user.confirmed 1', 'sync.user.confirmed 1']);
  t.deepEqual((await system.show(id)).syncMetadata.syncedServices, []);
  await fetch(`${url}/reconciliations`, {
    method: 'POST',
    body: JSON.stringify({ tenantId: 'default', userId: id, reason: 'test' }),
  });
  t.is((await untilSynced(id)).version, 2);
  t.like(await held(id), { version: 2, timesWritten: 3 });
});

test.serial(
  'a service killed between effect and confirmation confirms after its restart, with one effect',
  async (t) => {
    await behave({ confirmDelayMs: 60_000 });
    const { id } = await system.register();
    await until(async () => (await held(id)) !== undefined);
    await service.kill();
    t.deepEqual(await answersAbout(id), []);
    service = await start();
    t.is((await untilSynced(id)).syncRetryCount, 0);
    t.deepEqual(await held(id), { version: 1, name: 'Ada', timesWritten: 1 });
    t.deepEqual(await answersAbout(id), ['sync.user.confirmed 1']);
    t.regex(service.output(), /confirmed_again/);
  },
);

test.serial("a deleted user's copy goes, and the service confirms it, also when it failed at first", async (t) => {
  const { id } = await system.register();
  await untilSynced(id);
  await behave({ fail: 1 });
  await system.remove(id);
  await until(async () => (await answersAbout(id)).at(-1) === 'sync.user.confirmed 2');
  t.is(await held(id), undefined);
  const [, failed] = await answersAbout(id);
  t.is(failed, 'sync.user.failed 2');
  await until(async () => {
    const { rowCount } = await system.owner.query('SELECT FROM users WHERE id = $1 AND sync_ended_at IS NOT NULL', [
      id,
    ]);
    return rowCount === 1;
  });
});

test.serial('the service takes part over Kafka as well', async (t) => {
  const [other, otherPort, name] = [await createDatabase(), String(await freePort()), `accounting-${randomUUID()}`];
  scope.teardown(() => other.drop());
  const brokers = [await kafkaAddress()];
  const bus = kafkaBus({ brokers, clientId: 'test', lookMs: 200 });
  scope.teardown(() => bus.close());
  await serve(`http://127.0.0.1:${otherPort}`, {
    PORT: otherPort,
    SERVICE: name,
    DATABASE_URL: other.url,
    BUS: 'kafka',
    KAFKA_BROKERS: brokers.join(','),
    FAIL: '1',
    ANSWER: 'twice',
  });
  const answers: string[] = [];
  await bus.subscribe({
    group: `test-${name}`,
    topics: [TOPICS.syncConfirmed, TOPICS.syncFailed],
    handle: async ({ topic, payload }) => {
      if (payload.includes(name)) answers.push(`${topic} ${JSON.parse(payload).id}`);
    },
  });
  const id = randomUUID();
  const tell = (messageId: string): Promise<void> =>
    bus.publish([
      userEvent({
        topic: TOPICS.userCreated,
        messageId,
        services: [name],
        user: {
          tenantId: 'default',
          id,
          version: 1,
          authSubject: id,
          email: 'ada@example.com',
          name: 'Ada',
          locale: 'fr',
          phone: null,
          status: 'active',
          customerId: null,
          customerKind: null,
          updatedAt: new Date('2026-01-02T03:04:05Z'),
        },
      }),
    ]);
  await tell('first');
  await until(() => answers.length === 1);
  await tell('second');
  await until(() => answers.length === 3);
  t.deepEqual(
    answers.map((answer) => answer.split(' ')[0]),
    ['sync.user.failed', 'sync.user.confirmed', 'sync.user.confirmed'],
  );
  t.is(answers[1], answers[2]);
  const shown = await fetch(`http://127.0.0.1:${otherPort}/accounts/${id}`);
  t.like(await shown.json(), { version: 1, timesWritten: 1 });
});
