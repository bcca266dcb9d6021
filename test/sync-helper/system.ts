import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { z } from 'zod';
import { localKeys } from '../../src/auth/local-keys.ts';
import { mintToken } from '../../src/auth/tokens.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createDatabase, freePort, temporalAddress } from '../support/services.ts';
import { until } from '../support/until.ts';
import { temporaryFolder } from './packed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NEVER = '0 0 1 1 *';

const user = z.object({
  id: z.string(),
  version: z.number(),
  syncStatus: z.string(),
  syncRetryCount: z.number(),
  lastSyncError: z.string().nullable(),
  syncMetadata: z.object({ syncedServices: z.array(z.string()) }),
});

/** A user as the API shows it. */
export type ShownUser = z.output<typeof user>;

/** A worker and an API, running, and access to their bus for one team. */
export interface System {
  /** The URL of the bus for the team's login. */
  readonly busUrl: string;
  /** Acts as the owner of the database. */
  readonly owner: pg.Pool;
  register(): Promise<ShownUser>;
  change(id: string, name: string): Promise<ShownUser>;
  remove(id: string): Promise<void>;
  show(id: string): Promise<ShownUser>;
}

/** A process that a test has started. */
export interface Started {
  output(): string;
  kill(): Promise<void>;
}

/** Runs `node file` in `cwd` until `url` answers 200. */
export async function startNode(
  t: Pick<ExecutionContext, 'teardown'>,
  { file, cwd, env, url }: { file: string; cwd: string; env: Readonly<Record<string, string>>; url: string },
): Promise<Started> {
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const killWithTest = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithTest);
  t.teardown(async () => {
    process.off('exit', killWithTest);
    await kill();
  });
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`${file} ended:\n${output}`);
      return (await fetch(url).catch(() => undefined))?.status === 200;
    },
    { what: `${file} at ${url}`, timeoutMs: 60_000 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output}`);
  });
  return { output: () => output, kill };
}

/** Starts worker and API on a database of their own, with `service` as the only service of users. */
export async function startSystem(
  t: Pick<ExecutionContext, 'teardown'>,
  { service, settings }: { service: string; settings: Readonly<Record<string, string>> },
): Promise<System> {
  const [database, dataDir, name] = [
    await createDatabase(),
    await temporaryFolder(t, 'system'),
    `sync-helper-${randomUUID()}`,
  ];
  const login = `team_${randomUUID().slice(0, 8)}`;
  const owner = new pg.Pool({ connectionString: database.url, max: 2 });
  await owner.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT steadfast_bus_member TO ${login}`);
  t.teardown(async () => {
    await owner.query(`DROP ROLE ${login}`);
    await owner.end();
    await database.drop();
  });
  const env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporalAddress(),
    TASK_QUEUE: name,
    WORKER_DEPLOYMENT_NAME: name,
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    BUS_POLL_MS: '50',
    PROFILE_CHECK_CRON: NEVER,
    SYNC_CHECK_CRON: NEVER,
    PROCESS_WATCH_CRON: NEVER,
    CLEANUP_CRON: NEVER,
    SYNC_SERVICES: service,
    ...settings,
  };
  const url = `http://127.0.0.1:${env.PORT}`;
  await Promise.all([
    startNode(t, { file: 'worker.ts', cwd: root, env, url: `http://127.0.0.1:${env.WORKER_PORT}/healthz` }),
    startNode(t, { file: 'server.ts', cwd: root, env, url: `${url}/readyz` }),
  ]);
  const token = await mintToken(
    { role: 'admin', subject: 'boss', tenantId: 'default', ttl: '1h' },
    { config: loadConfig(env), keys: await localKeys(dataDir) },
  );
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    owner,
    busUrl: Object.assign(new URL(database.url), { username: login, password: 'secret' }).href,
    register: async () => {
      const authSubject = `auth|${randomUUID()}`;
      return user.parse(
        await (await ask('POST', '/users', { authSubject, email: `${randomUUID()}@example.com`, name: 'Ada' })).json(),
      );
    },
    change: async (id, to) => user.parse(await (await ask('PATCH', `/users/${id}`, { name: to })).json()),
    remove: async (id) => {
      await ask('DELETE', `/users/${id}`);
    },
    show: async (id) => user.parse(await (await ask('GET', `/users/${id}`)).json()),
  };
}
