import { runApi, type TestApi } from '../support/api.ts';
import type { Scope } from '../support/scope.ts';
import { createUserWorld } from '../support/user-world.ts';

/** The API with PostgreSQL, Temporal and a worker behind it. */
export async function openFuzzTarget(scope: Scope): Promise<TestApi> {
  const settings = { BULK_RATE_PER_SECOND: '100', COMMAND_TIMEOUT_MS: '20000' };
  // An order that waits for its delivery would be followed for long.
  return runApi(await createUserWorld(scope, { settings }), { streams: { maxAgeMs: 50 } });
}
