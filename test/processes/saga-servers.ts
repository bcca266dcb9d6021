import type { TestWorkflowEnvironment } from '@temporalio/testing';
import test from 'ava';
import { connectDevServer } from '../support/dev-server.ts';
import { createTimeSkippingEnv } from '../support/temporal.ts';
import { createSagaWorld, type SagaWorld } from '../support/saga-world.ts';

/** A world on the dev server for all tests of the file, there from its first test to its last. */
export function onDevServer(): { readonly world: SagaWorld } {
  const context = opened<{ world: SagaWorld }>();
  test.before(async () => {
    const server = await connectDevServer();
    context.open({ world: await createSagaWorld(server) }, () => server.connection.close());
  });
  return {
    get world() {
      return context.get().world;
    },
  };
}

/** The same on a server of the file's own that skips time. */
export function onTimeSkippingServer(): { readonly world: SagaWorld; readonly env: TestWorkflowEnvironment } {
  const context = opened<{ world: SagaWorld; env: TestWorkflowEnvironment }>();
  test.before(async () => {
    const env = await createTimeSkippingEnv();
    const world = await createSagaWorld({
      connection: env.nativeConnection,
      client: env.client,
      namespace: env.namespace ?? 'default',
    });
    context.open({ env, world }, () => env.teardown());
  });
  return {
    get world() {
      return context.get().world;
    },
    get env() {
      return context.get().env;
    },
  };
}

function opened<Context extends { readonly world: SagaWorld }>() {
  let held: { context: Context; close: () => Promise<void> } | undefined;
  test.after.always(async () => {
    await held?.context.world.close();
    await held?.close();
  });
  return {
    open: (context: Context, close: () => Promise<void>): void => {
      held = { context, close };
    },
    get: (): Context => {
      if (held === undefined) throw new Error('the server is not there yet');
      return held.context;
    },
  };
}
