import type { TestWorkflowEnvironment } from '@temporalio/testing';
import test from 'ava';
import { fileScope } from '../support/file-scope.ts';
import { createSagaWorld, type SagaWorld } from '../support/saga-world.ts';
import { startTimeSkippingTemporal } from '../support/temporal.ts';

/** A world on the dev server for all tests of the file, there from its first test to its last. */
export function onDevServer(): { readonly world: SagaWorld } {
  const scope = fileScope();
  return opened(async () => ({ world: await createSagaWorld(scope) }));
}

/** The same on a server of the file's own that skips time. */
export function onTimeSkippingServer(): { readonly world: SagaWorld; readonly env: TestWorkflowEnvironment } {
  const scope = fileScope();
  const context = opened(async () => {
    const temporal = await startTimeSkippingTemporal(scope);
    return { env: temporal.env, world: await createSagaWorld(scope, { temporal }) };
  });
  return context;
}

/** What is opened before the first test, under the names that it has. */
function opened<Context extends object>(open: () => Promise<Context>): Context {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- filled before any test looks
  const context = {} as Context;
  test.before(async () => void Object.assign(context, await open()));
  return context;
}
