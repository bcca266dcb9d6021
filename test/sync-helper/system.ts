import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { createApiClient } from '../support/api-client.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';
import type { Scope } from '../support/scope.ts';
import { createWorld } from '../support/world.ts';

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

/** Starts worker and API on a database of their own, with `service` as the only service of users. */
export async function startSystem(
  scope: Scope,
  { service, settings }: { service: string; settings: Readonly<Record<string, string>> },
): Promise<System> {
  const world = await createWorld(scope, { settings: { BUS_POLL_MS: '50', SYNC_SERVICES: service, ...settings } });
  const login = `team_${randomUUID().slice(0, 8)}`;
  const owner = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  await owner.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT steadfast_bus_member TO ${login}`);
  scope.teardown(async () => {
    await owner.query(`DROP ROLE ${login}`);
    await owner.end();
  });
  await Promise.all([spawnWorker(world), spawnApi(world)]);
  const send = await createApiClient(world);
  const ask = async (...[method, path, body]: Parameters<typeof send>): Promise<Response> => {
    const response = await send(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    owner,
    busUrl: Object.assign(new URL(world.databaseUrl), { username: login, password: 'secret' }).href,
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
