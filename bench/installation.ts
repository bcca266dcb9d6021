import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../test/support/api-client.ts';
import { spawnApi, spawnWorker, type TestProcess } from '../test/support/processes.ts';
import { openScope } from '../test/support/scope.ts';
import { temporalAddress } from '../test/support/services.ts';
import { NO_TEMPORAL, temporalAt } from '../test/support/temporal.ts';
import { createWorld, type World } from '../test/support/world.ts';

/** A busy machine's 503 is sent again, as callers do. */
const TRIES = 10;
const RETRY_MS = 1_000;

/** A worker and an API of the product on a database of their own. */
export interface Installation extends World {
  readonly api: TestProcess;
  /** Undefined in an installation whose Temporal is away. */
  readonly worker: TestProcess | undefined;
  /** With an `idempotencyKey` what is sent again learns what became of it. */
  readonly post: (path: string, body: object, idempotencyKey?: string) => Promise<Record<string, unknown>>;
  readonly put: (path: string, body: object) => Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/**
 * Starts an installation; with `isTemporalAway` the API alone, looking for Temporal where nothing listens. `preload`
 * goes into the worker.
 */
export async function install({
  isTemporalAway = false,
  settings = {},
  preload,
  address = isTemporalAway ? NO_TEMPORAL : temporalAddress(),
}: {
  isTemporalAway?: boolean;
  settings?: Record<string, string>;
  preload?: URL;
  address?: string;
} = {}): Promise<Installation> {
  const scope = openScope();
  const world = await createWorld(scope, {
    poolSize: 20,
    temporal: temporalAt(scope, address),
    settings: {
      LOG_LEVEL: 'error',
      COMMAND_TIMEOUT_MS: '30000',
      // Nobody confirms: longer than any measurement, so that no retry is measured beside what was asked for.
      SYNC_CONFIRMATION_TIMEOUT_MS: '86400000',
      ...settings,
    },
  });
  const worker = isTemporalAway ? undefined : await spawnWorker(world, preload === undefined ? {} : { preload });
  const api = await spawnApi(world);
  const ask = await createApiClient(world);
  const send = async (
    method: 'POST' | 'PUT',
    path: string,
    body: object,
    idempotencyKey?: string,
  ): Promise<Record<string, unknown>> => {
    let response = await ask(method, path, body, idempotencyKey);
    for (let again = 0; response.status === 503 && again < TRIES; again += 1) {
      await sleep(RETRY_MS);
      response = await ask(method, path, body, idempotencyKey);
    }
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return typeof answer === 'object' && answer !== null ? { ...answer } : {};
  };
  return {
    ...world,
    api,
    worker,
    post: (path, body, idempotencyKey) => send('POST', path, body, idempotencyKey),
    put: (path, body) => send('PUT', path, body),
    close: () => scope.close(),
  };
}
