import type { ExecutionContext } from 'ava';
import type { Scope } from './scope.ts';
import { usersOf, type Users } from './users.ts';
import { runProduct } from './worker.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** Tenant of every user of these tests. */
export const TENANT = 'test';

const USER_SETTINGS = {
  REMINDER_HOUR: '',
  TIME_ZONE: 'UTC',
  SYNC_SERVICES: 'accounting,portfolio',
  BUS_POLL_MS: '50',
};

/** The product's worker in this process, and users. */
export type UserWorld = World & Users;

/** Starts the product's worker, without the API. */
export async function createUserWorld(
  scope: Scope,
  { settings = {}, around, ...options }: WorldOptions & Parameters<typeof runProduct>[1] = {},
): Promise<UserWorld> {
  const world = await createWorld(scope, {
    ...options,
    settings: { ...USER_SETTINGS, ...settings },
  });
  await runProduct(world, around === undefined ? {} : { around });
  return { ...world, ...usersOf(world, TENANT) };
}

/** The failure type by which an Update was refused. */
export async function refusalOf(t: ExecutionContext, update: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(update);
  const cause: unknown = error?.cause;
  return typeof cause === 'object' && cause !== null && 'type' in cause ? String(cause.type) : String(error);
}
