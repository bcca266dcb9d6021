import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdtemp, rm, stat, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { openEventStream } from '../support/event-stream.ts';
import { tellOnFailure } from '../support/scope.ts';
import { createDatabase, freePort, temporalAddress, testLogins } from '../support/services.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
/** For a server among many on a busy machine. */
const START_MS = 120_000;
const ROOT = new URL('../..', import.meta.url).pathname;

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'steadfast-process-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

function startServer(t: ExecutionContext, env: Record<string, string>) {
  const child = spawn(process.execPath, ['server.ts'], {
    cwd: ROOT,
    env: { ...process.env, TEMPORAL_ADDRESS: temporalAddress(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
  });
  const output = { text: '' };
  tellOnFailure(t, () => `server.ts printed:\n${output.text}`);
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
  return { child, output };
}

test('server.ts serves, takes minted tokens, logs no personal data, and stops in order on SIGTERM', async (t) => {
  const database = await createDatabase();
  t.teardown(() => database.drop());
  const env = {
    ...testLogins(database.url),
    PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    DATA_DIR: await folder(t),
    LOG_LEVEL: 'debug',
  };
  const { child, output } = startServer(t, env);
  const url = `http://127.0.0.1:${env.PORT}`;
  await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200, {
    what: 'the API',
    timeoutMs: START_MS,
  });
  const { stdout } = await run(process.execPath, ['tools/token.ts', '--role', 'admin', '--sub', 'boss'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  t.regex(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const headers = { Authorization: `Bearer ${stdout.trim()}`, 'Content-Type': 'application/json' };
  const registered = await fetch(`${url}/users`, {
    method: 'POST',
    headers,
    body: '{"authSubject":"auth0|secret","email":"secret@example.com","name":"Secret"}',
  });
  t.is(registered.status, 201);
  t.is((await fetch(`${url}/users?emailPrefix=secret`, { headers })).status, 200);
  t.is((await fetch(`${url}/metrics`, { headers })).status, 404);
  const metrics = await (await fetch(`http://127.0.0.1:${env.METRICS_PORT}/metrics`)).text();
  t.regex(metrics, /^http_requests_total\{method="POST",route="\/users",status="201"\} 1$/m);
  t.regex(metrics, /^steadfast_database_up 1$/m);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  t.deepEqual(await exit, [0, null]);
  t.regex(output.text, /"path":"\/users"/);
  t.notRegex(output.text, /secret|Bearer|eyJ/i);
});

test('server.ts does not wait for those who follow an order when it stops', async (t) => {
  const database = await createDatabase();
  t.teardown(() => database.drop());
  const env = {
    ...testLogins(database.url),
    PORT: String(await freePort()),
    DATA_DIR: await folder(t),
    LOG_LEVEL: 'silent',
  };
  const { child } = startServer(t, env);
  const url = `http://127.0.0.1:${env.PORT}`;
  await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200, {
    what: 'the API',
    timeoutMs: START_MS,
  });
  const { stdout } = await run(process.execPath, ['tools/token.ts', '--role', 'admin', '--sub', 'boss'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  const headers = { Authorization: `Bearer ${stdout.trim()}` };
  const order = {
    customerId: 'c',
    items: [{ sku: 'MUG-1', quantity: 1 }],
    currency: 'EUR',
    payment: { method: 'account' },
    shipTo: { name: 'Ada', street: 'Street 1', postalCode: '1', city: 'Paris', country: 'FR' },
  };
  const placed = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
  const stream = await openEventStream(`${url}${placed.headers.get('Location')}/events`, headers);
  t.is((await stream.next())?.id, '1');
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  t.deepEqual(await exit, [0, null]);
  t.true((await stream.rest()).length <= 1, 'its end, not an error');
});

test('server.ts stops when its launcher is gone', async (t) => {
  const database = await createDatabase();
  t.teardown(() => database.drop());
  const env = { ...testLogins(database.url), PORT: String(await freePort()), DATA_DIR: await folder(t) };
  const { child } = startServer(t, env);
  await until(async () => (await fetch(`http://127.0.0.1:${env.PORT}/readyz`).catch(() => undefined))?.status === 200, {
    what: 'the API',
  });
  const exit = once(child, 'exit');
  child.disconnect();
  t.deepEqual(await exit, [0, null]);
});

test('server.ts names what is wrong with its settings in one line', async (t) => {
  const database = await createDatabase();
  t.teardown(() => database.drop());
  const DATA_DIR = await folder(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void other.close());
  await once(other, 'listening');
  const address = other.address();
  const taken = String(typeof address === 'object' ? address?.port : '');
  for (const [env, line] of [
    [{ PORT: 'x' }, /^PORT: .*\n$/],
    [{ METRICS_PORT: '0' }, /^METRICS_PORT: .*\n$/],
    [
      { ...testLogins(database.url), METRICS_PORT: taken, LOG_LEVEL: 'silent' },
      /^METRICS_PORT: \d+ on \S+ is taken\n$/,
    ],
    [{ DATABASE_URL: '' }, /^DATABASE_URL: .*\n$/],
    // As an installation of the version before has it.
    [
      { DATABASE_URL: database.url, DATABASE_ROLE: 'steadfast_app', SYSTEM_DATABASE_URL: '' },
      /^SYSTEM_DATABASE_URL: .*\n$/,
    ],
    [
      {
        ...testLogins(database.url),
        DATABASE_URL: database.url,
        PORT: String(await freePort()),
        LOG_LEVEL: 'silent',
      },
      /^DATABASE_URL: .*"postgres", which is a superuser.*ALTER ROLE steadfast_tenant .*\n$/,
    ],
  ] as const) {
    const { child, output } = startServer(t, { DATA_DIR, ...env });
    t.is((await once(child, 'exit'))[0], 1);
    t.regex(output.text, line);
  }
});

test('server.ts comes up with /readyz red while PostgreSQL is away', async (t) => {
  const env = {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    SYSTEM_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    PORT: String(await freePort()),
    DATA_DIR: await folder(t),
    LOG_LEVEL: 'silent',
  };
  startServer(t, env);
  await until(async () => (await fetch(`http://127.0.0.1:${env.PORT}/readyz`).catch(() => undefined))?.status === 503, {
    what: 'a red /readyz',
    timeoutMs: START_MS,
  });
  t.pass();
});

test('processes that start at once share one local key, which only its owner can read', async (t) => {
  const DATA_DIR = await folder(t);
  await Promise.all(
    [1, 2, 3].map(() =>
      run(process.execPath, ['tools/token.ts', '--role', 'user', '--sub', 'a'], {
        cwd: ROOT,
        env: { ...process.env, DATA_DIR },
      }),
    ),
  );
  t.deepEqual(await readdir(join(DATA_DIR, 'keys')), ['jwt-es256.json']);
  t.is((await stat(join(DATA_DIR, 'keys', 'jwt-es256.json'))).mode & 0o777, 0o600);
});
